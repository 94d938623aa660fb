// Attention: a block reads one piece of 256 slots for one row and (some of) the query heads of one key/value head, then
// the pieces are put together in ascending order. Where a piece begins depends on the slot alone, so a row's result
// depends neither on other rows nor on slots it does not see.
#include <cassert>
#include <cmath>

#include "kernels/cuda/backend_impl.h"
#include "kernels/cuda/kv.h"
#include "kernels/cuda/reduce.h"

namespace cinnabar::kernels::cuda {
namespace {

constexpr int kPiece = 256;         // slots
constexpr int kTile = 32;           // slots whose scores are known at a time: a warp's lanes
constexpr unsigned kThreads = 128;  // of a piece
constexpr int kMostQueries = 2048;  // query values of a block: heads at once times E
constexpr int kMostHeads = kMostQueries / 32;
constexpr int kLargestHead = 256;
constexpr std::int64_t kPartialBytes = 64 << 20;
constexpr float kUnseen = -3.4e38f;

// What rows see; travels with a launch, whose arguments may have 4 KiB.
struct VisibleSlots {
  static constexpr std::int64_t kMost = 256;
  std::int32_t limit[kMost], hidden_first[kMost], hidden_end[kMost];
};

struct Call {
  const std::uint16_t* keys;  // of the layer's head 0
  std::int64_t plane;
  int size;     // E
  int group;    // query heads of a key/value head, H / K
  int at_once;  // of them in one block
  int splits;   // blocks of a key/value head: ceil(group / at_once)
  float scale;
  Rows q, out;
  float* partial;  // [rows][H][pieces][2 + E]: largest score, sum of weights, weighted values
  int pieces;
};

// A block's state: what has been seen of its heads so far.
struct TileState {
  float q[kMostQueries], values[kMostQueries];
  float weights[kMostHeads][kTile];
  float largest[kMostHeads], total[kMostHeads], fade[kMostHeads];
  std::uint16_t keys[kTile][kLargestHead + 2];  // rows that start in different banks
};

__device__ float from_bf16(std::uint16_t bits) { return bf16_to_f32(bits); }

// Scores of a tile's slots for all heads, and their weights relative to the largest score so far. A warp a head, a lane
// a slot: `visible` is the lane's.
__device__ void score_tile(const Call& c, TileState& seen, int heads, bool visible) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  for (int head = static_cast<int>(threadIdx.x) / 32; head < heads; head += static_cast<int>(kThreads) / 32) {
    float score = kUnseen;
    if (visible) {
      score = 0;
      for (int e = 0; e < c.size; ++e) score = fmaf(from_bf16(seen.keys[lane][e]), seen.q[head * c.size + e], score);
      score *= c.scale;
    }
    const float before = seen.largest[head];
    const float largest = Larger()(reduce_warp(score, Larger()), before);
    const float weight = visible ? expf(score - largest) : 0.0f;
    const float total = reduce_warp(weight, Add());
    seen.weights[head][lane] = weight;
    __syncwarp();  // all lanes have read `largest`
    if (lane == 0) {
      seen.fade[head] = expf(before - largest);
      seen.total[head] = fmaf(seen.total[head], seen.fade[head], total);
      seen.largest[head] = largest;
    }
  }
}

__global__ void __launch_bounds__(kThreads) attend_piece(Call c, VisibleSlots visible_slots) {
  __shared__ TileState seen;
  const int row = static_cast<int>(blockIdx.x), kv_head = static_cast<int>(blockIdx.y) / c.splits;
  const int first_head = static_cast<int>(blockIdx.y) % c.splits * c.at_once;
  const int heads = c.group - first_head < c.at_once ? c.group - first_head : c.at_once;
  const int first = static_cast<int>(blockIdx.z) * kPiece;
  const int end = visible_slots.limit[row] < first + kPiece ? visible_slots.limit[row] : first + kPiece;
  if (first >= end) return;
  const int thread = static_cast<int>(threadIdx.x), queries = heads * c.size;
  const std::int64_t head = std::int64_t{kv_head} * c.group + first_head;
  const std::uint16_t* keys = c.keys + std::int64_t{kv_head} * 2 * c.plane;
  const std::uint16_t* values = keys + c.plane;
  for (int i = thread; i < queries; i += kThreads) {
    seen.q[i] = c.q.data[row * c.q.stride + head * c.size + i];
    seen.values[i] = 0;
  }
  for (int i = thread; i < heads; i += kThreads) {
    seen.largest[i] = kUnseen;
    seen.total[i] = 0;
  }
  for (int slot = first; slot < end; slot += kTile) {
    const int slots = end - slot < kTile ? end - slot : kTile;
    __syncthreads();  // the last tile's keys and weights have been read
    for (int i = thread; i < slots * c.size; i += kThreads)
      seen.keys[i / c.size][i % c.size] = keys[std::int64_t{slot} * c.size + i];
    __syncthreads();
    const int mine = slot + thread % 32;
    score_tile(c, seen, heads,
               mine < end && (mine < visible_slots.hidden_first[row] || mine >= visible_slots.hidden_end[row]));
    __syncthreads();
    for (int i = thread; i < queries; i += kThreads) {
      const int of = i / c.size;
      float sum = seen.values[i] * seen.fade[of];
      const std::uint16_t* value = values + std::int64_t{slot} * c.size + i % c.size;
      for (int j = 0; j < slots; ++j) sum = fmaf(seen.weights[of][j], from_bf16(value[std::int64_t{j} * c.size]), sum);
      seen.values[i] = sum;
    }
  }
  float* partial =
      c.partial + ((std::int64_t{row} * (c.q.cols / c.size) + head) * c.pieces + blockIdx.z) * (2 + c.size);
  const std::int64_t step = std::int64_t{c.pieces} * (2 + c.size);  // from head to head
  for (int i = thread; i < queries; i += kThreads) partial[i / c.size * step + 2 + i % c.size] = seen.values[i];
  for (int i = thread; i < heads; i += kThreads) {
    partial[i * step] = seen.largest[i];
    partial[i * step + 1] = seen.total[i];
  }
}

// blockIdx.x: row, blockIdx.y: query head; thread: one of its E values.
__global__ void join_pieces(Call c, VisibleSlots visible_slots) {
  const int pieces = (visible_slots.limit[blockIdx.x] + kPiece - 1) / kPiece;
  const float* partial =
      c.partial + (std::int64_t{blockIdx.x} * (c.q.cols / c.size) + blockIdx.y) * c.pieces * (2 + c.size);
  float largest = kUnseen;
  for (int i = 0; i < pieces; ++i) largest = Larger()(partial[std::int64_t{i} * (2 + c.size)], largest);
  for (int e = static_cast<int>(threadIdx.x); e < c.size; e += static_cast<int>(blockDim.x)) {
    float total = 0, sum = 0;
    for (int i = 0; i < pieces; ++i) {
      const float* piece = partial + std::int64_t{i} * (2 + c.size);
      const float weight = expf(piece[0] - largest);
      total = fmaf(weight, piece[1], total);
      sum = fmaf(weight, piece[2 + e], sum);
    }
    c.out.data[blockIdx.x * c.out.stride + std::int64_t{blockIdx.y} * c.size + e] = sum / total;
  }
}

VisibleSlots visible_slots_of(const AttentionSegment& segment, std::int64_t first, std::int64_t count) {
  VisibleSlots visible_slots{};
  for (std::int64_t i = 0; i < count; ++i) {
    const auto row = static_cast<std::size_t>(first + i);
    const SlotRange hidden = segment.hidden.empty() ? SlotRange{} : segment.hidden[row];
    assert(hidden.first >= hidden.end || hidden.first > 0);
    visible_slots.limit[i] = segment.limits[row];
    visible_slots.hidden_first[i] = hidden.first;
    visible_slots.hidden_end[i] = hidden.end;
  }
  return visible_slots;
}

void attend_segment(Context& context, Call call, const AttentionSegment& segment, Rows q, Rows out) {
  const std::int32_t longest = *std::max_element(segment.limits.begin(), segment.limits.end());
  assert(longest <= segment.kv->shape().capacity);
  const auto heads = static_cast<unsigned>(q.cols / call.size);
  call.pieces = static_cast<int>(blocks(longest, kPiece));
  const std::int64_t row_bytes =
      std::int64_t{heads} * call.pieces * (2 + call.size) * static_cast<std::int64_t>(sizeof(float));
  const std::int64_t at_once = std::clamp<std::int64_t>(kPartialBytes / row_bytes, 1, VisibleSlots::kMost);
  const std::int64_t rows = std::ssize(segment.limits);
  if (!context.grow(context.partial, std::min(at_once, rows) * row_bytes)) return;
  call.partial = context.partial.as<float>();
  const auto kv_blocks = static_cast<unsigned>(segment.kv->shape().kv_heads * call.splits);
  for (std::int64_t first = 0; first < rows; first += at_once) {
    const std::int64_t count = std::min(at_once, rows - first);
    const VisibleSlots visible_slots = visible_slots_of(segment, first, count);
    call.q = q.slice(first, count);
    call.out = out.slice(first, count);
    context.device->launch({blocks(count, 1), kv_blocks, static_cast<unsigned>(call.pieces)}, kThreads, attend_piece,
                           call, visible_slots);
    context.device->launch({blocks(count, 1), heads}, 64, join_pieces, call, visible_slots);
  }
}

}  // namespace

void CudaBackend::attention(Rows q, std::span<const AttentionSegment> segments, int layer, float scale, Rows out) {
  assert(q.rows == out.rows && q.cols == out.cols && scale > 0);
  for (const AttentionSegment& segment : segments) {
    if (segment.limits.empty()) continue;
    const auto& kv = static_cast<const DeviceKv&>(*segment.kv);
    const KvShape& shape = kv.shape();
    const auto group = static_cast<int>(q.cols / (std::int64_t{shape.kv_heads} * shape.head_size));
    assert(std::int64_t{group} * shape.kv_heads * shape.head_size == q.cols);
    const int at_once = std::min(group, kMostQueries / shape.head_size);
    const Call call{
        kv.keys(layer), kv.plane(), shape.head_size, group, at_once, (group + at_once - 1) / at_once, scale, q, out,
        nullptr,        0};
    const std::int64_t count = std::ssize(segment.limits);
    attend_segment(context_, call, segment, q.slice(segment.first_row, count), out.slice(segment.first_row, count));
  }
}

}  // namespace cinnabar::kernels::cuda
