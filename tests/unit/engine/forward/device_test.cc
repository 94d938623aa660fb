#include "engine/forward/device.h"

#include <catch2/catch.hpp>

namespace cinnabar::engine {
namespace {

TEST_CASE("devices have names, which are read back") {
  for (const DeviceChoice& choice :
       {DeviceChoice{}, {DeviceKind::cpu}, {DeviceKind::cuda}, {DeviceKind::cuda, 0}, {DeviceKind::cuda, 12}})
    CHECK(parse_device(name(choice)) == choice);
  CHECK(name(DeviceChoice{DeviceKind::cuda, 1}) == "cuda:1");
  for (const char* wrong :
       {"gpu", "", "cuda:", "cuda:-1", "cuda:x", "cuda:1x", "cuda:99999999999", "auto:1", "cpu:0"}) {
    INFO(wrong);
    CHECK_FALSE(parse_device(wrong));
  }
}

TEST_CASE("a GPU that cannot be used is an error only where it was asked for") {
  DeviceOptions options;
  options.cpu.threads = 1;
  for (const char* library : {"", CINNABAR_SOURCE_DIR "/README.md"}) {
    options.cuda_library = library;
    options.choice.kind = DeviceKind::automatic;
    const auto fallen_back = open_device(options);
    REQUIRE(fallen_back);
    CHECK(fallen_back->backend->description().starts_with("cpu ("));
    options.choice.kind = DeviceKind::cuda;
    const auto insisted = open_device(options);
    REQUIRE_FALSE(insisted);
    CHECK(insisted.message().find("libcinnabar_cuda.so is not beside") + 1 == (*library == 0 ? 1U : 0U));
    CHECK(fallen_back->no_gpu == insisted.message());
    options.choice.kind = DeviceKind::cpu;
    const auto cpu = open_device(options);
    REQUIRE(cpu);
    CHECK(cpu->no_gpu.empty());
  }
}

TEST_CASE("products compute in int8, and in int4 where the weights would fill the device's memory") {
  const std::vector<std::byte> bytes(1);
  const kernels::StoredMatrix matrix{kernels::DType::q8_0, bytes.data(), 1024, 1024};
  Weights weights{};
  weights.head = matrix;
  weights.layers.resize(3);
  for (LayerWeights& layer : weights.layers) layer.matrices[Product::down] = matrix;
  weights.layers[2].experts.push_back({matrix, matrix, matrix});
  const std::int64_t int8 = 7 * (1024 * 1024 + 1024 * 1024 / 32);
  struct Row {
    std::int64_t total, free;
    kernels::Compute expected;
  };
  using kernels::Compute;
  for (const Row& row : {Row{0, 0, Compute::int8},  // the CPU's
                         Row{100 * int8, 100 * int8, Compute::int8}, Row{100 * int8, int8 * 10 / 8 + 1, Compute::int8},
                         Row{100 * int8, int8 * 10 / 8 - 1, Compute::int4}, Row{int8, 0, Compute::int4}}) {
    INFO(row.free << " bytes of " << row.total << " are free");
    CHECK(choose_compute(weights, {row.total, row.free}) == row.expected);
  }
}

TEST_CASE("in the host's memory weights keep a file's bits where they would be more than 3 GiB as int8") {
  const std::vector<std::byte> bytes(1);
  for (const auto& [layers, expected] : {std::pair{24, kernels::Compute::int8}, {32, kernels::Compute::narrow}}) {
    Weights weights{};
    weights.head = {kernels::DType::q6_k, bytes.data(), 150000, 3584};
    weights.layers.resize(static_cast<std::size_t>(layers));
    for (LayerWeights& layer : weights.layers)
      layer.matrices[Product::up] = {kernels::DType::q4_k, bytes.data(), 10000, 10000};
    CHECK(choose_compute(weights, {}) == expected);
  }
}

}  // namespace
}  // namespace cinnabar::engine
