// Attention: a block reads one piece of 256 slots for one row and (some of) the query heads of one key/value head; the
// block that comes last puts the pieces together in ascending order. Where a piece begins depends on the slot alone, so a
// row's result depends neither on other rows nor on slots it does not see.
#include <cassert>
#include <cmath>

#include "kernels/cuda/backend_impl.h"
#include "kernels/cuda/kv.h"
#include "kernels/cuda/reduce.h"

namespace cinnabar::kernels::cuda {
namespace {

constexpr int kTile = 32;           // slots whose scores are known at a time: a warp's lanes
constexpr unsigned kThreads = 128;  // of a piece
constexpr int kMostQueries = 2048;  // query values of a block: heads at once times E
constexpr int kMostHeads = kMostQueries / 32;
constexpr int kLargestHead = 256;
constexpr std::int64_t kPartialBytes = 64 << 20;
constexpr float kUnseen = -3.4e38f;

struct Call {
  DeviceRows rows;
  std::int64_t first;  // row of the call
  int layer, kv_heads;
  int size;     // E
  int group;    // query heads of a key/value head, H / K
  int at_once;  // of them in one block
  int splits;   // blocks of a key/value head: ceil(group / at_once)
  float scale;
  Rows q, out;
  float* partial;  // [rows][H][pieces][2 + E]: largest score, sum of weights, weighted values
  int pieces;
  unsigned* arrived;  // [rows][blocks of key/value heads], zero between launches
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

// The block's queries from the pieces of its row, in ascending order.
__device__ void join_pieces(const Call& c, const float* partial, std::int64_t step, int pieces, int queries,
                            float* out) {
  for (int i = static_cast<int>(threadIdx.x); i < queries; i += kThreads) {
    const float* of_head = partial + i / c.size * step;
    float largest = kUnseen, total = 0, sum = 0;
    for (int p = 0; p < pieces; ++p) largest = Larger()(of_head[std::int64_t{p} * (2 + c.size)], largest);
    for (int p = 0; p < pieces; ++p) {
      const float* piece = of_head + std::int64_t{p} * (2 + c.size);
      const float weight = expf(piece[0] - largest);
      total = fmaf(weight, piece[1], total);
      sum = fmaf(weight, piece[2 + i % c.size], sum);
    }
    out[i] = sum / total;
  }
}

// Whether this block is the last of `all` that come here for `arrived`, which is then zero again. What the others wrote
// before can be read.
__device__ bool comes_last(unsigned* arrived, unsigned all) {
  __shared__ bool last;
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) last = atomicInc(arrived, all - 1) == all - 1;
  __syncthreads();
  __threadfence();
  return last;
}

// The piece's slots [first, end) for the block's heads, whose queries `seen` holds.
__device__ void see_slots(const Call& c, TileState& seen, std::int64_t row, int kv_head, int heads, int first,
                          int end) {
  const int thread = static_cast<int>(threadIdx.x), queries = heads * c.size;
  const KvPlace kv = c.rows.kv[row];
  const std::uint16_t* keys = kv.keys + (std::int64_t{c.layer} * c.kv_heads + kv_head) * 2 * kv.plane;
  const std::uint16_t* values = keys + kv.plane;
  const int hidden_first = c.rows.hidden_first[row], hidden_end = c.rows.hidden_end[row];
  for (int slot = first; slot < end; slot += kTile) {
    const int slots = end - slot < kTile ? end - slot : kTile;
    __syncthreads();  // the last tile's keys and weights have been read
    for (int i = thread; i < slots * c.size; i += kThreads)
      seen.keys[i / c.size][i % c.size] = keys[std::int64_t{slot} * c.size + i];
    __syncthreads();
    const int mine = slot + thread % 32;
    score_tile(c, seen, heads, mine < end && (mine < hidden_first || mine >= hidden_end));
    __syncthreads();
    for (int i = thread; i < queries; i += kThreads) {
      const int of = i / c.size;
      float sum = seen.values[i] * seen.fade[of];
      const std::uint16_t* value = values + std::int64_t{slot} * c.size + i % c.size;
      for (int j = 0; j < slots; ++j) sum = fmaf(seen.weights[of][j], from_bf16(value[std::int64_t{j} * c.size]), sum);
      seen.values[i] = sum;
    }
  }
}

__global__ void __launch_bounds__(kThreads) attend_piece(Call c) {
  __shared__ TileState seen;
  const std::int64_t row = c.first + blockIdx.x;
  if (row >= c.rows.counts[0]) return;
  const int limit = c.rows.limits[row], kv_head = static_cast<int>(blockIdx.y) / c.splits;
  const int first_head = static_cast<int>(blockIdx.y) % c.splits * c.at_once;
  const int heads = c.group - first_head < c.at_once ? c.group - first_head : c.at_once;
  const int piece = static_cast<int>(kPiece), first = static_cast<int>(blockIdx.z) * piece;
  const int end = limit < first + piece ? limit : first + piece;
  if (first >= end) return;
  const int thread = static_cast<int>(threadIdx.x), queries = heads * c.size;
  const std::int64_t head = std::int64_t{kv_head} * c.group + first_head;
  for (int i = thread; i < queries; i += kThreads) {
    seen.q[i] = c.q.data[row * c.q.stride + head * c.size + i];
    seen.values[i] = 0;
  }
  for (int i = thread; i < heads; i += kThreads) {
    seen.largest[i] = kUnseen;
    seen.total[i] = 0;
  }
  see_slots(c, seen, row, kv_head, heads, first, end);
  float* partial = c.partial + (std::int64_t{blockIdx.x} * (c.q.cols / c.size) + head) * c.pieces * (2 + c.size);
  float* mine = partial + std::int64_t{blockIdx.z} * (2 + c.size);
  const std::int64_t step = std::int64_t{c.pieces} * (2 + c.size);  // from head to head
  for (int i = thread; i < queries; i += kThreads) mine[i / c.size * step + 2 + i % c.size] = seen.values[i];
  for (int i = thread; i < heads; i += kThreads) {
    mine[i * step] = seen.largest[i];
    mine[i * step + 1] = seen.total[i];
  }
  const int pieces = (limit + piece - 1) / piece;
  if (!comes_last(c.arrived + std::int64_t{blockIdx.x} * gridDim.y + blockIdx.y, static_cast<unsigned>(pieces))) return;
  join_pieces(c, partial, step, pieces, queries, c.out.data + row * c.out.stride + head * c.size);
}

}  // namespace

void attend_rows(Context& context, const KvShape& shape, const Rows& q, const DeviceRows& rows, std::int64_t count,
                 std::int64_t pieces, int layer, float scale, const Rows& out) {
  const auto group = static_cast<int>(q.cols / (std::int64_t{shape.kv_heads} * shape.head_size));
  assert(std::int64_t{group} * shape.kv_heads * shape.head_size == q.cols);
  const int at_once = std::min(group, kMostQueries / shape.head_size), splits = (group + at_once - 1) / at_once;
  const std::int64_t row_bytes =
      std::int64_t{group} * shape.kv_heads * pieces * (2 + shape.head_size) * static_cast<std::int64_t>(sizeof(float));
  const std::int64_t rows_at_once = std::clamp<std::int64_t>(kPartialBytes / row_bytes, 1, count);
  const auto kv_blocks = static_cast<unsigned>(shape.kv_heads * splits);
  if (!context.grow(context.partial, rows_at_once * row_bytes) ||
      !context.grow(context.arrived, rows_at_once * kv_blocks * std::int64_t{sizeof(unsigned)}))
    return;
  Call call{rows,
            0,
            layer,
            shape.kv_heads,
            shape.head_size,
            group,
            at_once,
            splits,
            scale,
            q,
            out,
            context.partial.as<float>(),
            static_cast<int>(pieces),
            context.arrived.as<unsigned>()};
  for (; call.first < count; call.first += rows_at_once) {
    const std::int64_t some = std::min(rows_at_once, count - call.first);
    context.device->launch({blocks(some, 1), kv_blocks, static_cast<unsigned>(pieces)}, kThreads, attend_piece, call);
  }
}

void CudaBackend::attention(Rows q, std::span<const AttentionSegment> segments, int layer, float scale, Rows out) {
  assert(q.rows == out.rows && q.cols == out.cols && scale > 0);
  std::int32_t longest = 0;
  for (const AttentionSegment& segment : segments) {
    if (!segment.limits.empty())
      longest = std::max(longest, *std::max_element(segment.limits.begin(), segment.limits.end()));
  }
  if (longest == 0) return;
  see_rows(segments, q.rows, context_.seen);
  const std::int32_t counts[] = {static_cast<std::int32_t>(q.rows), 0};
  Image& image = context_.arguments.image;
  image.clear();
  RowPlaces places{};
  places.counts = image.add(std::span<const std::int32_t>(counts));
  places.limits = image.add(std::span<const std::int32_t>(context_.seen.limits));
  places.hidden_first = image.add(std::span<const std::int32_t>(context_.seen.hidden_first));
  places.hidden_end = image.add(std::span<const std::int32_t>(context_.seen.hidden_end));
  places.kv = image.add(std::span<const KvPlace>(context_.seen.kv));
  if (!context_.upload_arguments()) return;
  attend_rows(context_, segments[0].kv->shape(), q, places.at(context_.arguments.memory.as<const std::byte>()), q.rows,
              blocks(longest, kPiece), layer, scale, out);
}

}  // namespace cinnabar::kernels::cuda
