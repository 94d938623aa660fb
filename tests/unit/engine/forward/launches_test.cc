// What a forward of the default model's shape takes of a GPU, counted on the device that is this machine's processor: the
// forward that the engine calls, of 24 layers of their real sizes with a gated adapter. Its kernels are not run.
#include <catch2/catch.hpp>
#include <iostream>

#include "engine/forward/network.h"
#include "kernels/cuda/backend.h"
#include "kernels/cuda/on_host/fibers.h"
#include "tests/support/random_model.h"

namespace cinnabar::engine {
namespace {

constexpr std::int64_t kMostLaunches = 130;

struct Counting {
  Counting() { kernels::cuda::on_host::set_computes(false); }
  ~Counting() { kernels::cuda::on_host::set_computes(true); }
};

struct RowCounts {
  int context, clean, block;
};

kernels::Traffic forward(Network& network, kernels::KvStore& kv, const RowCounts& rows) {
  ForwardSegment segment{&kv, {}};
  const int all = rows.clean + rows.block, end = rows.context + all;
  for (int i = 0; i < all; ++i) {
    const int slot = rows.context + i;
    const bool in_block = i >= rows.clean;
    segment.rows.push_back(
        {.token = i, .slot = slot, .limit = in_block ? end : slot + 1, .in_block = in_block, .judged = true});
  }
  const std::vector<kernels::ScoreRequest> requests(static_cast<std::size_t>(all));
  std::vector<kernels::Score> scores(requests.size());
  const kernels::Traffic before = network.backend().traffic();
  REQUIRE(network.forward({&segment, 1}, requests, scores));
  return network.backend().traffic() - before;
}

// Counts what forwards of the default model's shape take, and tells it; the bytes of weights that each reads.
std::int64_t count_forwards(kernels::Compute compute, const char* name) {
  const Counting counts_alone;
  auto cuda = kernels::cuda::make_backend();
  REQUIRE(cuda);
  const ModelSpec spec = tests::default_shape();
  const Adapter adapter = tests::random_adapter(spec, 64, 2);
  auto network = Network::create(tests::random_model(spec, 1), &adapter, **cuda, compute);
  REQUIRE(network);
  auto kv = (*cuda)->make_kv({spec.layers, spec.kv_heads, spec.head_size, 8300});
  REQUIRE(kv);
  for (const RowCounts& rows : {RowCounts{300, 1, 0}, {300, 1, 7}, {1024, 4, 12}, {1024, 16, 16}, {8192, 0, 32}}) {
    INFO(rows.clean << " clean rows and " << rows.block << " of a block behind " << rows.context << " tokens");
    kernels::Traffic taken;
    for (int run = 0; run < 4; ++run) {
      taken = forward(**network, **kv, rows);
      CHECK(taken.launches <= kMostLaunches);
      CHECK(taken.waits == 1);
    }
    CHECK(taken.graphs == 1);
    CHECK(taken.copies == 2);  // rows in, scores out
    CHECK(taken.allocations == 0);
    std::cout << "default model's shape, " << name << ", context " << rows.context << ", rows " << rows.clean << " + "
              << rows.block << ": " << taken.launches << " launches, " << taken.waits << " wait, " << taken.copies
              << " copies of " << taken.bytes << " bytes, " << taken.allocations << " allocations\n";
  }
  return (*network)->streamed_bytes();
}

TEST_CASE("a forward of the default model's shape with its adapter: launches, copies and waits on a GPU") {
  const std::int64_t int8 = count_forwards(kernels::Compute::int8, "int8");
  const std::int64_t int4 = count_forwards(kernels::Compute::int4, "int4");
  // Of 357.9 million weights in the layers 4.5 bits and not 8.25 each; the head is int8 in both.
  CHECK(int8 - int4 == Approx(357.9e6 * 3.75 / 8).epsilon(1e-3));
}

}  // namespace
}  // namespace cinnabar::engine
