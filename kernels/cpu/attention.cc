// Attention: the division into tiles of 16 queries that share one key/value head. With H / K = G query heads a
// key/value head, query p of a segment and head is (row p / G, head p % G).
#include <algorithm>
#include <cassert>

#include "kernels/cpu/backend_impl.h"
#include "kernels/cpu/kv.h"

namespace cinnabar::kernels::cpu {
namespace {

constexpr int kQueries = 16;

struct Tiles {
  const AttentionSegment* segment;
  std::int64_t tiles;  // of one head
  std::int64_t first_task;
};

struct Call {
  Context& context;
  Rows q;
  Rows out;
  int layer;
  float scale;
  int group;  // G
};

// What 16 queries see, lane by lane.
struct Sight {
  float limits[kQueries];
  float hidden[2][kQueries];
  std::int32_t common;  // slots below are seen by all of them
  std::int32_t largest;
};

// Of the queries [first, first + count) of a segment; lanes without a query repeat the first one's.
Sight sight_of(const AttentionSegment& segment, int group, std::int64_t first, int count) {
  Sight sight{};
  sight.common = sight.largest = segment.limits[static_cast<std::size_t>(first / group)];
  for (int i = 0; i < kQueries; ++i) {
    const auto row = static_cast<std::size_t>((i < count ? first + i : first) / group);
    const std::int32_t limit = segment.limits[row];
    const SlotRange hidden = segment.hidden.empty() ? SlotRange{} : segment.hidden[row];
    sight.limits[i] = static_cast<float>(limit);
    sight.hidden[0][i] = static_cast<float>(hidden.first);
    sight.hidden[1][i] = static_cast<float>(hidden.end);
    sight.common = std::min(sight.common, hidden.first < hidden.end ? std::min(limit, hidden.first) : limit);
    sight.largest = std::max(sight.largest, limit);
  }
  assert(sight.common >= 1);
  return sight;
}

void attend_tile(const Call& call, const AttentionSegment& segment, int head, std::int64_t tile, int worker) {
  const auto& kv = static_cast<const HostKv&>(*segment.kv);
  const int size = kv.shape().head_size;
  const std::int64_t pairs = static_cast<std::int64_t>(segment.limits.size()) * call.group;
  const std::int64_t first = tile * kQueries;
  const int count = static_cast<int>(std::min<std::int64_t>(kQueries, pairs - first));
  const Sight sight = sight_of(segment, call.group, first, count);
  assert(sight.largest <= kv.shape().capacity);
  const int key_count = (sight.largest + 31) / 32 * 32;
  float* memory = scratch(call.context, worker, kQueries * (2LL * size + key_count));
  AttentionTask task{};
  task.keys = kv.keys(call.layer, head);
  task.values = kv.values(call.layer, head);
  task.head_size = size;
  task.key_count = key_count;
  task.common = sight.common;
  task.limits = sight.limits;
  task.hidden = segment.hidden.empty() ? nullptr : sight.hidden[0];
  task.q = memory;
  task.scale = call.scale;
  task.out = memory + kQueries * size;
  task.scores = memory + 2 * kQueries * size;
  const auto column = [&](int i) {
    return (static_cast<std::int64_t>(head) * call.group + (first + i) % call.group) * size;
  };
  for (int i = 0; i < kQueries; ++i) {
    if (i >= count) {
      for (int e = 0; e < size; ++e) memory[kQueries * e + i] = 0.0f;
      continue;
    }
    const float* from = call.q.data + (segment.first_row + (first + i) / call.group) * call.q.stride + column(i);
    for (int e = 0; e < size; ++e) memory[kQueries * e + i] = from[e];
  }
  call.context.attention(task);
  for (int i = 0; i < count; ++i) {
    float* to = call.out.data + (segment.first_row + (first + i) / call.group) * call.out.stride + column(i);
    for (int e = 0; e < size; ++e) to[e] = task.out[kQueries * e + i];
  }
}

}  // namespace

void CpuBackend::attention(Rows q, std::span<const AttentionSegment> segments, int layer, float scale, Rows out) {
  const FlushDenormals flush;
  assert(q.rows == out.rows && q.cols == out.cols && scale > 0);
  std::vector<Tiles> plan;
  std::int64_t tasks = 0;
  Call call{context_, q, out, layer, scale, 1};
  for (const AttentionSegment& segment : segments) {
    if (segment.limits.empty()) continue;
    const KvShape& shape = segment.kv->shape();
    call.group = static_cast<int>(q.cols / (static_cast<std::int64_t>(shape.kv_heads) * shape.head_size));
    assert(static_cast<std::int64_t>(call.group) * shape.kv_heads * shape.head_size == q.cols);
    const std::int64_t pairs = static_cast<std::int64_t>(segment.limits.size()) * call.group;
    const std::int64_t tiles = (pairs + kQueries - 1) / kQueries;
    plan.push_back({&segment, tiles, tasks});
    tasks += tiles * shape.kv_heads;
  }
  const auto attend = [&](int task, int worker) {
    const auto after =
        std::upper_bound(plan.begin(), plan.end(), static_cast<std::int64_t>(task),
                         [](std::int64_t index, const Tiles& tiles) { return index < tiles.first_task; });
    const Tiles& tiles = *(after - 1);
    const std::int64_t local = task - tiles.first_task;
    // Causal prompts end with the longest rows; starting with them leaves short tasks to even out the end.
    attend_tile(call, *tiles.segment, static_cast<int>(local / tiles.tiles), tiles.tiles - 1 - local % tiles.tiles,
                worker);
  };
  context_.pool.run(static_cast<int>(tasks), attend);
}

}  // namespace cinnabar::kernels::cpu
