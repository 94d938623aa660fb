// What of a model's file stays in memory once it has been packed.
#include <catch2/catch.hpp>
#include <fstream>

#include "engine/forward/network.h"
#include "engine/model/mapping.h"
#include "kernels/cpu/backend.h"
#include "tests/support/model_files.h"
#include "tests/support/random_model.h"

namespace cinnabar::engine {
namespace {

// Bytes of mapped files that this process holds in memory.
std::int64_t resident_of_files() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssFile:")) return std::stoll(line.substr(8)) * 1024;
  }
  return -1;
}

// The random model with every matrix at a place of its own in a mapped file.
LoadedModel mapped_model(const ModelSpec& spec, const test::ModelFolder& folder) {
  LoadedModel model = tests::random_model(spec, 1);
  std::vector<kernels::StoredMatrix*> all = {&model.weights.embedding};
  for (LayerWeights& layer : model.weights.layers) {
    for (kernels::StoredMatrix& matrix : layer.matrices.values) all.push_back(&matrix);
  }
  std::vector<std::byte> file;
  std::vector<std::size_t> places;
  for (const kernels::StoredMatrix* matrix : all) {
    places.push_back(file.size());
    file.insert(file.end(), matrix->data,
                matrix->data + kernels::row_bytes(matrix->dtype, matrix->cols) * matrix->rows);
  }
  auto mapping = Mapping::open(folder.write("weights", file));
  REQUIRE(mapping);
  for (std::size_t i = 0; i < all.size(); ++i) all[i]->data = (*mapping)->bytes().data() + places[i];
  model.weights.head = model.weights.embedding;
  model.weights.owned.clear();
  model.checkpoint.mappings.push_back(std::move(mapping).value());
  return model;
}

TEST_CASE("a model's file does not stay in memory beside what it was packed to") {
  const test::ModelFolder folder;
  ModelSpec spec = tests::tiny_shape();
  spec.layers = 6;
  spec.width = 512;
  spec.ffn = 2048;
  const LoadedModel model = mapped_model(spec, folder);
  const auto size = static_cast<std::int64_t>(model.checkpoint.mappings[0]->bytes().size());
  REQUIRE(size > 16 << 20);
  auto backend = kernels::cpu::make_backend({.threads = 2, .isa = {}});
  REQUIRE(backend);
  const std::int64_t before = resident_of_files();
  REQUIRE(before > 0);
  const auto network = Network::create(model, nullptr, **backend, kernels::Compute::int8);
  REQUIRE(network);
  CHECK(resident_of_files() - before < size / 4);
}

TEST_CASE("released pages are read from the file again, and only whole ones inside a mapping are let go") {
  const test::ModelFolder folder;
  std::string text;
  while (text.size() < 5 * 65536) text += std::to_string(text.size()) + " ";
  const auto mapping = Mapping::open(folder.write("file", text));
  REQUIRE(mapping);
  const std::span all = (*mapping)->bytes();
  const std::byte elsewhere[2] = {};
  for (const auto& range : {all, all.subspan(1, 100), all.subspan(70000, 100000), all.subspan(all.size()),
                            std::span<const std::byte>(elsewhere)}) {
    (*mapping)->release(range);
    CHECK(std::string(reinterpret_cast<const char*>(all.data()), all.size()) == text);
  }
}

}  // namespace
}  // namespace cinnabar::engine
