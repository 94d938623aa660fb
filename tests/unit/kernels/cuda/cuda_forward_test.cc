// Forwards of few rows on the device that is this machine's processor: how many launches, copies and waits they take, and
// that what was recorded gives the bits of what was not.
#include "kernels/cuda/device.h"
#include "tests/unit/kernels/composite_layer.h"

namespace cinnabar::kernels::cuda {
namespace {

using namespace kernels::testing;
using testing::same_bits;

const LayerShape kShape{64, 2, 1, 32, 0, 48, 16, false, true};
const LayerShape kNormedHeads{64, 3, 1, 64, 0, 32, 16, true, false};

Traffic traffic_of(CompositeLayer& layer, const RowsShape& rows) {
  Traffic traffic;
  layer.run(rows, Form::own, &traffic);
  return traffic;
}

TEST_CASE("on_host: a layer with its adapter takes five launches, a forward one copy in, one out and one wait") {
  auto cuda = make_backend();
  REQUIRE(cuda);
  CompositeLayer layer(**cuda, kShape, Compute::int8), normed(**cuda, kNormedHeads, Compute::int8);
  for (const RowsShape& rows : {RowsShape{1, 0}, {1, 7}, {4, 12}, {20, 12}}) {
    INFO(rows.clean << " clean rows, " << rows.block << " block rows");
    for (int run = 0; run < 4; ++run) {
      const Traffic traffic = traffic_of(layer, rows);
      CHECK(traffic.launches == 1 + 5 + 2);     // tokens, the layer, head and scores
      if (run > 0) CHECK(traffic.copies == 2);  // at first the table of angles, too
      CHECK(traffic.waits == 1);
      if (run < 3) continue;  // one or two that need memory, one that records
      CHECK(traffic.graphs == 1);
      CHECK(traffic.allocations == 0);
    }
    CHECK(traffic_of(normed, rows).launches == 1 + 6 + 2);  // heads are normed by themselves
  }
}

TEST_CASE(
    "on_host: recorded forwards have the bits of those before, with "
    "other rows of the same form, too") {
  auto cuda = make_backend(), fresh = make_backend();
  REQUIRE(cuda);
  REQUIRE(fresh);
  CompositeLayer layer(**cuda, kShape, Compute::int8), unrecorded(**fresh, kShape, Compute::int8);
  // All of 8 rows rounded up, some with and some without rows of the adapter:
  // two forms.
  for (const RowsShape& rows :
       {RowsShape{3, 0}, {5, 0}, {8, 0}, {1, 7}, {2, 3}, {1, 0}, {0, 4}, {3, 0}, {16, 0}, {9, 0}}) {
    INFO(rows.clean << " clean rows, " << rows.block << " block rows");
    const Values expected = unrecorded.run(rows, Form::plain);
    const Values got = layer.run(rows, Form::own);
    CHECK(same_bits(got.data(), expected.data(), std::ssize(expected)));
  }
  CHECK((*cuda)->traffic().graphs >= 5);
}

TEST_CASE(
    "on_host: what was recorded with memory that is gone is not started "
    "again") {
  auto cuda = make_backend();
  REQUIRE(cuda);
  auto layer = std::make_unique<CompositeLayer>(**cuda, kShape, Compute::int8);
  const Values before = layer->run({3, 2}, Form::own);
  for (int run = 0; run < 2; ++run) layer->run({3, 2}, Form::own);
  const std::int64_t graphs = (*cuda)->traffic().graphs;
  CHECK(graphs == 1);
  layer = std::make_unique<CompositeLayer>(**cuda, kShape, Compute::int8);  // other weights at other places
  const Values after = layer->run({3, 2}, Form::own);
  CHECK((*cuda)->traffic().graphs == graphs);
  CHECK(same_bits(before.data(), after.data(), std::ssize(before)));
}

TEST_CASE("on_host: fused forwards do not depend on the order of threads") {
  struct Forward {
    ~Forward() { on_host::set_order(on_host::Order::forward); }
  } afterwards;
  std::vector<Values> results;
  for (const on_host::Order order : {on_host::Order::forward, on_host::Order::backward, on_host::Order::mixed}) {
    on_host::set_order(order);
    auto cuda = make_backend();
    REQUIRE(cuda);
    Values all;
    for (const LayerShape& shape : {kShape, kNormedHeads}) {
      for (const Compute compute : {Compute::int8, Compute::bf16, Compute::int4}) {
        CompositeLayer layer(**cuda, shape, compute);
        for (const RowsShape& rows : {RowsShape{2, 3}, {6, 7}}) {
          const Values some = layer.run(rows, Form::own);
          all.insert(all.end(), some.begin(), some.end());
        }
      }
    }
    results.push_back(std::move(all));
  }
  CHECK(same_bits(results[0].data(), results[1].data(), std::ssize(results[0])));
  CHECK(same_bits(results[0].data(), results[2].data(), std::ssize(results[0])));
}

TEST_CASE(
    "on_host: a recording holds launches with the values they had, and "
    "runs none before it is replayed") {
  auto device = Device::open(kAnyGpu);
  REQUIRE(device);
  float values[2] = {1, 2};
  (*device)->record();
  float add = 3;
  (*device)->launch(
      {1}, 32,
      +[](float* to, float by) {
        if (threadIdx.x == 0) *to += by;
      },
      values, add);
  add = 100;
  const Recording recording = (*device)->recorded();
  CHECK(values[0] == 1);
  CHECK((*device)->traffic().launches == 0);
  (*device)->replay(recording);
  (*device)->replay(recording);
  CHECK(values[0] == 7);
  CHECK((*device)->traffic().launches == 2);
  CHECK((*device)->traffic().graphs == 2);
}

}  // namespace
}  // namespace cinnabar::kernels::cuda
