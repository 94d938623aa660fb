// Which GPU is taken, and memory on the way to it.
#include <cstring>

#include "kernels/cuda/device.h"
#include "tests/unit/kernels/cuda/cuda_fixture.h"

namespace cinnabar::kernels::cuda {
namespace {

using testing::Values;

TEST_CASE("on_host: the GPU with the most free memory is taken, or the one that was named") {
  const Gpu old{"Tesla T4", 7, 5, 90}, ampere{"A100", 8, 0, 10}, hopper{"H200", 9, 0, 40};
  struct Case {
    std::vector<Gpu> gpus;
    int wanted, chosen;
    std::string error;
  };
  const Case cases[] = {
      {{hopper}, -1, 0, ""},
      {{old, ampere, hopper}, -1, 2, ""},
      {{hopper, ampere}, -1, 0, ""},
      {{ampere, ampere}, -1, 0, ""},
      {{old, ampere, hopper}, 1, 1, ""},
      {{}, -1, 0, "the driver shows no GPU"},
      {{}, 0, 0, "the driver shows no GPU"},
      {{ampere, hopper}, 2, 0, "there is no GPU 2; there are 0 (A100), 1 (H200)"},
      {{old, ampere}, 0, 0, "Tesla T4 has compute capability 7.5, 8.0 (of 2020) is the least"},
      {{old}, -1, 0, "Tesla T4 has compute capability 7.5, 8.0 (of 2020) is the least"},
  };
  for (const Case& c : cases) {
    INFO(c.gpus.size() << " GPUs, wanted " << c.wanted);
    const auto chosen = choose_gpu(c.gpus, c.wanted);
    CHECK(chosen.ok() == c.error.empty());
    if (chosen)
      CHECK(*chosen == c.chosen);
    else
      CHECK(chosen.message() == c.error);
  }
}

TEST_CASE(
    "on_host: places on the way to the device: halves in turn, none beyond its half, each at a multiple of 64 bytes") {
  Staging staging;
  CHECK(staging.next(100).offset == 0);
  const StagedPiece second = staging.next(Staging::kHalf);
  CHECK(second.offset == 128);
  CHECK(second.bytes == Staging::kHalf - 128);
  CHECK_FALSE(second.turns);
  for (const int half : {1, 0, 1}) {
    const StagedPiece whole = staging.next(3 * Staging::kHalf);
    CHECK(whole.turns);
    CHECK(whole.half == half);
    CHECK(whole.offset == half * Staging::kHalf);
    CHECK(whole.bytes == Staging::kHalf);
  }
}

TEST_CASE("on_host: copies of any size arrive whole, one after another without a wait") {
  auto device = Device::open(kAnyGpu);
  REQUIRE(device);
  std::vector<Values> sent;
  std::vector<void*> kept;
  for (const std::int64_t count : {3, 100'000, 1'500'000, 7, 2'500'000, 1}) {
    sent.push_back(testing::random_values(count, static_cast<std::uint32_t>(count)));
    kept.push_back((*device)->allocate(count * 4));
    Values from = sent.back();
    (*device)->to_device(kept.back(), from.data(), count * 4);
    from.assign(from.size(), -1.0f);  // may be changed at once
  }
  CHECK((*device)->traffic().waits == 0);
  for (std::size_t i = 0; i < sent.size(); ++i) {
    Values back(sent[i].size());
    (*device)->to_host(back.data(), kept[i], std::ssize(back) * 4);
    CHECK(back == sent[i]);
    (*device)->release(kept[i]);
  }
}

}  // namespace
}  // namespace cinnabar::kernels::cuda
