#include <cassert>

#include "kernels/cuda/backend_impl.h"
#include "kernels/cuda/fused.h"
#include "kernels/cuda/int4.h"
#include "kernels/cuda/product.h"
#include "kernels/cuda/reduce.h"
#include "kernels/cuda/row_math.h"

namespace cinnabar::kernels::cuda {
namespace {

constexpr int kMostRank = 64;                 // one group of bf16
constexpr int kThinColumns = kMostRank + 16;  // of A's tiles that a part's columns touch
constexpr int kEveryGroup = 4 * 32;           // lanes' pieces of a tile's group

// What a lane reads of its row of each tile of 8: 4 lanes share one.
template <int T>
struct LaneRows {
  const float* row[T];  // null: there is none
  float inverse[T];     // with a norm
  const float* norm;
  std::int64_t cols;
};

template <int N>
struct alignas(4 * N) Values {
  float value[N];
};

// N values that lie whole within the row or beyond it.
template <int N, int T>
__device__ Values<N> load(const LaneRows<T>& x, int tile, std::int64_t column) {
  Values<N> values{};
  if (x.row[tile] == nullptr || column >= x.cols) return values;
  values = *reinterpret_cast<const Values<N>*>(x.row[tile] + column);
  if (x.norm == nullptr) return values;
  const Values<N> weights = *reinterpret_cast<const Values<N>*>(x.norm + column);
  for (int i = 0; i < N; ++i) values.value[i] = values.value[i] * x.inverse[tile] * weights.value[i];
  return values;
}

// The lane's words of a group of its row, rounded, and the group's scale.
template <int T>
__device__ float round_lane(const LaneRows<T>& x, int tile, std::int64_t group, LaneOfB (&to)[4], std::int32_t) {
  Values<4> values[8];
  float largest = 0;
  CINNABAR_UNROLL
  for (int i = 0; i < 8; ++i) {
    values[i] = load<4>(x, tile, (group * kGroupWords + i * 4 + threadIdx.x % 4) * 4);
    CINNABAR_UNROLL
    for (const float value : values[i].value) largest = Larger()(fabsf(value), largest);
  }
  largest = Larger()(largest, __shfl_xor_sync(kEveryLane, largest, 1));
  largest = Larger()(largest, __shfl_xor_sync(kEveryLane, largest, 2));
  CINNABAR_UNROLL
  for (int i = 0; i < 8; ++i) to[i / 2].words[i % 2] = four_int8(values[i].value, largest);
  return scale_of(largest);
}
template <int T>
__device__ float round_lane(const LaneRows<T>& x, int tile, std::int64_t group, LaneOfB (&to)[4], float) {
  CINNABAR_UNROLL
  for (int i = 0; i < 8; ++i) {
    const Values<2> values = load<2>(x, tile, (group * kGroupWords + i * 4 + threadIdx.x % 4) * 2);
    to[i / 2].words[i % 2] = two_bf16(values.value[0], values.value[1]);
  }
  return 1;
}

// Sums of the groups that the warps multiply in one turn.
template <int T, int P>
struct Turn {
  std::uint32_t sums[kWarps][P][kTileRows * kTileColumns * T];  // int32 or f32
  float scales[kWarps][kTileColumns * T];
};

template <typename Kind, int T, int P>
__device__ void multiply_group(const Weights& w, const std::int64_t (&tiles)[P], const LaneRows<T>& x,
                               std::int64_t group, Turn<T, P>& turn) {
  const int lane = static_cast<int>(threadIdx.x % 32), warp = static_cast<int>(threadIdx.x / 32);
  using Sum = typename Kind::Sum;
  Sum d[P][T][4] = {};
  LaneOfB b[T][4];
  CINNABAR_UNROLL
  for (int t = 0; t < T; ++t) {
    const float scale = round_lane(x, t, group, b[t], Sum());
    if (lane % 4 == 0) turn.scales[warp][8 * t + lane / 4] = scale;
  }
  if constexpr (std::is_same_v<Kind, OfInt4>) {
    const auto rows = [&](int t, int step) { return b[t][step]; };
    CINNABAR_UNROLL
    for (int p = 0; p < P; ++p)
      multiply_int4({w.lanes, w.int4_scales, w.int4_offsets}, tiles[p] * w.groups + group, rows, d[p]);
  } else {
    CINNABAR_UNROLL
    for (int step = 0; step < 4; ++step) {
      CINNABAR_UNROLL
      for (int p = 0; p < P; ++p) {
        const LaneOfA a = w.lanes[(tiles[p] * w.groups + group) * kEveryGroup + step * 32 + lane];
        CINNABAR_UNROLL
        for (int t = 0; t < T; ++t) multiply(d[p][t], a.words, b[t][step].words);
      }
    }
  }
  CINNABAR_UNROLL
  for (int p = 0; p < P; ++p) {
    CINNABAR_UNROLL
    for (int t = 0; t < T; ++t) {
      CINNABAR_UNROLL
      for (int i = 0; i < 4; ++i)
        turn.sums[warp][p][(8 * t + 2 * (lane % 4) + i % 2) * kTileRows + lane / 4 + i / 2 * 8] = bits_of(d[p][t][i]);
    }
  }
}

// to[p][row * 16 + output] = the products of 16 outputs a tile; all threads of the block come. Two turns of memory, so
// that one barrier a turn is enough; the first keeps an earlier call's readers apart from it.
template <typename Kind, int T, int P>
__device__ void multiply_tiles(const Weights& w, const std::int64_t (&tiles)[P], const LaneRows<T>& x,
                               Turn<T, P> (&turns)[2], float (*to)[kTileRows * kTileColumns * T]) {
  using Sum = typename Kind::Sum;
  constexpr int kSums = kTileRows * kTileColumns * T * P;
  constexpr int kEach = (kSums + static_cast<int>(kProductThreads) - 1) / static_cast<int>(kProductThreads);
  const int warp = static_cast<int>(threadIdx.x / 32);
  float acc[kEach] = {};
  int at = 0;
  __syncthreads();
  for (std::int64_t first = 0; first < w.groups; first += kWarps, at = 1 - at) {
    if (first + warp < w.groups) multiply_group<Kind>(w, tiles, x, first + warp, turns[at]);
    __syncthreads();
    for (int i = 0; i < kEach; ++i) {
      const int index = static_cast<int>(threadIdx.x + i * kProductThreads);
      if (index >= kSums) continue;
      const int p = index / (kSums / P), sum = index % (kSums / P);
      for (int g = 0; g < kWarps && first + g < w.groups; ++g) {
        const float w_scale =
            w.scales == nullptr ? 1.0f : w.scales[(tiles[p] * w.groups + first + g) * kTileRows + sum % kTileRows];
        acc[i] = with_group(value_of(turns[at].sums[g][p][sum], Sum()), turns[at].scales[g][sum / kTileRows], w_scale,
                            acc[i]);
      }
    }
  }
  for (int i = 0; i < kEach; ++i) {
    const int index = static_cast<int>(threadIdx.x + i * kProductThreads);
    if (index < kSums) to[index / (kSums / P)][index % (kSums / P)] = acc[i];
  }
}

template <int T, int P>
struct BlockState {
  Turn<T, P> turns[2];
  float outputs[P][kTileRows * kTileColumns * T];
  float some[P][kTileRows * kTileColumns * T];
  alignas(16) float thin[kTileColumns * T][kThinColumns];  // read four values at a time
  float inverse[kTileColumns * T];
};

// The outputs' two tiles: which halves belong together.
__device__ void choose_tiles(const FusedProduct&, std::int64_t (&tiles)[1]) { tiles[0] = blockIdx.x; }
__device__ void choose_tiles(const FusedProduct& f, std::int64_t (&tiles)[2]) {
  const std::int64_t block = blockIdx.x;
  if (f.finish == Finish::gate) {
    tiles[0] = block;
    tiles[1] = block + f.columns / 2 / kTileRows;
    return;
  }
  const int pairs = f.heads.size / 32, turned = f.heads.turned / 32;  // of a head
  const std::int64_t first = block / pairs * 2 * pairs, pair = block % pairs;
  tiles[0] = first + (pair < turned ? pair : 2 * pair);
  tiles[1] = first + (pair < turned ? pair + turned : 2 * pair + 1);
}

template <int T>
__device__ LaneRows<T> lane_rows(const Activations& x, std::int64_t first, std::int64_t count, const float* inverse) {
  LaneRows<T> rows{};
  rows.norm = x.norm;
  rows.cols = x.cols;
  CINNABAR_UNROLL
  for (int t = 0; t < T; ++t) {
    const int of_block = 8 * t + static_cast<int>(threadIdx.x % 32) / 4;
    const std::int64_t row = first + of_block;
    rows.row[t] = row < count ? x.data + (x.rows == nullptr ? row : x.rows[row]) * x.stride : nullptr;
    rows.inverse[t] = inverse[of_block];
  }
  return rows;
}

template <int T>
__device__ void norm_rows(const Activations& x, std::int64_t first, std::int64_t count, float* inverse) {
  for (int i = static_cast<int>(threadIdx.x / 32); i < kTileColumns * T; i += kWarps) {
    const std::int64_t row = first + i;
    float value = 0;
    if (x.norm != nullptr && row < count)
      value =
          inverse_norm(x.data + (x.rows == nullptr ? row : x.rows[row]) * x.stride, static_cast<int>(x.cols), x.eps);
    if (threadIdx.x % 32 == 0) inverse[i] = value;
  }
  __syncthreads();
}

// x A^T in the columns of one part, to state.thin; its first column there.
template <typename Kind, int T, int P>
__device__ int multiply_thin(const FusedProduct& f, const AdditionPart& part, const LaneRows<T>& x,
                             BlockState<T, P>& state) {
  const int first = part.thin / kTileRows, end = (part.thin + part.rank + kTileRows - 1) / kTileRows;
  for (int tile = first; tile < end; tile += P) {
    std::int64_t tiles[P];
    for (int p = 0; p < P; ++p) tiles[p] = tile + p < end ? tile + p : tile;
    multiply_tiles<typename Kind::Thin, T, P>(f.a, tiles, x, state.turns, state.some);
    __syncthreads();
    for (int i = static_cast<int>(threadIdx.x); i < P * kTileRows * kTileColumns * T; i += kProductThreads) {
      const int p = i / (kTileRows * kTileColumns * T), sum = i % (kTileRows * kTileColumns * T);
      if (tile + p < end)
        state.thin[sum / kTileRows][(tile + p - first) * kTileRows + sum % kTileRows] = state.some[p][sum];
    }
  }
  __syncthreads();
  return part.thin - first * kTileRows;
}

// Adds a part's thin B^T to the outputs of tile p, in the rows of blocks.
template <int T, int P>
__device__ void add_part(const AdditionPart& part, std::int64_t tile, int p, int column, const DeviceRows& rows,
                         std::int64_t first, BlockState<T, P>& state) {
  LaneRows<T> thin{};
  thin.cols = part.rank;
  for (int t = 0; t < T; ++t) thin.row[t] = &state.thin[8 * t + static_cast<int>(threadIdx.x % 32) / 4][column];
  std::int64_t tiles[P];
  for (int i = 0; i < P; ++i) tiles[i] = tile - part.out / kTileRows;
  multiply_tiles<OfBf16, T, P>(part.b, tiles, thin, state.turns, state.some);
  __syncthreads();
  for (int i = static_cast<int>(threadIdx.x); i < kTileRows * kTileColumns * T; i += kProductThreads) {
    const std::int64_t row = first + i / kTileRows;
    if (row < rows.counts[0] && rows.in_block[row] != 0) state.outputs[p][i] += state.some[0][i];
  }
}

template <typename Kind, int T, int P>
__device__ void add_parts(const FusedProduct& f, const std::int64_t (&tiles)[P], const LaneRows<T>& x,
                          const DeviceRows& rows, std::int64_t first, BlockState<T, P>& state) {
  bool any = false;
  for (std::int64_t row = first; row < first + kTileColumns * T && row < rows.counts[0]; ++row)
    any = any || rows.in_block[row] != 0;
  if (!any) return;
  int in_thin = -1, column = 0;
  for (int p = 0; p < P; ++p) {
    for (int i = 0; i < f.parts; ++i) {
      const AdditionPart& part = f.part[i];
      if (tiles[p] * kTileRows < part.out || tiles[p] * kTileRows >= part.end) continue;
      if (in_thin != i) column = multiply_thin<Kind>(f, part, x, state);
      in_thin = i;
      add_part(part, tiles[p], p, column, rows, first, state);
    }
  }
}

// Turns the pair of outputs by the row's position, where they are turned, and writes them where heads go.
__device__ void finish_heads(const FusedProduct& f, const DeviceRows& rows, std::int64_t row, std::int64_t column_a,
                             std::int64_t column_b, float a, float b) {
  const HeadPlaces& h = f.heads;
  const std::int64_t head = column_a / h.size, in_a = column_a % h.size, in_b = column_b % h.size;
  if (in_b == in_a + h.turned / 2 && in_a < h.turned / 2 && head < h.queries + h.keys) {
    const std::int64_t angle = std::int64_t{rows.positions[row]} * (h.turned / 2) + in_a;
    const Turned now = turned(a, b, h.cosines[angle], h.sines[angle]);
    a = now.first;
    b = now.second;
  }
  if (head < h.queries) {
    f.out.data[row * f.out.stride + column_a] = a;
    f.out.data[row * f.out.stride + column_b] = b;
    return;
  }
  std::uint16_t* kept = slot_of(rows, row, h, head - h.queries);
  kept[in_a] = f32_to_bf16(a);
  kept[in_b] = f32_to_bf16(b);
}

template <int T>
__device__ void finish_outputs(const FusedProduct& f, const DeviceRows&, const std::int64_t (&tiles)[1],
                               std::int64_t first, std::int64_t count, BlockState<T, 1>& state) {
  for (int i = static_cast<int>(threadIdx.x); i < kTileRows * kTileColumns * T; i += kProductThreads) {
    const std::int64_t row = first + i / kTileRows, column = tiles[0] * kTileRows + i % kTileRows;
    if (row < count && column < f.columns) f.out.data[row * f.out.stride + column] = state.outputs[0][i];
  }
}

template <int T>
__device__ void finish_outputs(const FusedProduct& f, const DeviceRows& rows, const std::int64_t (&tiles)[2],
                               std::int64_t first, std::int64_t count, BlockState<T, 2>& state) {
  for (int i = static_cast<int>(threadIdx.x); i < kTileRows * kTileColumns * T; i += kProductThreads) {
    const std::int64_t row = first + i / kTileRows, a = tiles[0] * kTileRows + i % kTileRows;
    const std::int64_t b = tiles[1] * kTileRows + i % kTileRows;
    if (row >= count) continue;
    if (f.finish == Finish::gate)
      f.out.data[row * f.out.stride + a] = gated(state.outputs[0][i], state.outputs[1][i]);
    else
      finish_heads(f, rows, row, a, b, state.outputs[0][i], state.outputs[1][i]);
  }
}

// Outputs before additions: bias, and what they are added to.
template <int T, int P>
__device__ void begin_outputs(const FusedProduct& f, const std::int64_t (&tiles)[P], std::int64_t first,
                              std::int64_t count, BlockState<T, P>& state) {
  for (int i = static_cast<int>(threadIdx.x); i < P * kTileRows * kTileColumns * T; i += kProductThreads) {
    const int p = i / (kTileRows * kTileColumns * T), sum = i % (kTileRows * kTileColumns * T);
    const std::int64_t row = first + sum / kTileRows, column = tiles[p] * kTileRows + sum % kTileRows;
    if (row >= count || column >= f.columns) continue;
    float value = state.outputs[p][sum];
    if (f.bias != nullptr) value += f.bias[column];
    if (f.finish == Finish::add) value = f.out.data[row * f.out.stride + column] + value;
    state.outputs[p][sum] = value;
  }
}

// A block: one tile of 16 outputs, or two that belong together (blockIdx.x), by T tiles of 8 rows (blockIdx.y).
template <typename Kind, int T, int P>
__global__ void __launch_bounds__(kProductThreads) fused_product(FusedProduct f, DeviceRows rows) {
  __shared__ BlockState<T, P> state;
  const std::int64_t first = std::int64_t{blockIdx.y} * kTileColumns * T, count = *f.x.count;
  if (first >= count) return;
  std::int64_t tiles[P];
  choose_tiles(f, tiles);
  norm_rows<T>(f.x, first, count, state.inverse);
  const LaneRows<T> x = lane_rows<T>(f.x, first, count, state.inverse);
  multiply_tiles<Kind, T, P>(f.weights, tiles, x, state.turns, state.outputs);
  __syncthreads();
  begin_outputs(f, tiles, first, count, state);
  if (f.parts > 0) add_parts<Kind>(f, tiles, x, rows, first, state);
  __syncthreads();
  finish_outputs(f, rows, tiles, first, count, state);
}

template <typename Kind, int P>
void launch_some(Context& context, const FusedProduct& f, const DeviceRows& rows, std::int64_t most_rows) {
  const unsigned tiles = P == 2 ? blocks(f.columns, 2 * kTileRows) : blocks(f.columns, kTileRows);
  if (most_rows <= kTileColumns)
    context.device->launch({tiles, 1}, kProductThreads, fused_product<Kind, 1, P>, f, rows);
  else
    context.device->launch({tiles, blocks(most_rows, 2 * kTileColumns)}, kProductThreads, fused_product<Kind, 2, P>, f,
                           rows);
}

Compute compute_of_thin(Compute compute) { return compute == Compute::int4 ? Compute::bf16 : compute; }

template <typename Kind>
void launch_kind(Context& context, const FusedProduct& f, const DeviceRows& rows, std::int64_t most_rows) {
  const bool pairs = f.finish == Finish::gate || f.finish == Finish::heads;
  pairs ? launch_some<Kind, 2>(context, f, rows, most_rows) : launch_some<Kind, 1>(context, f, rows, most_rows);
}

}  // namespace

bool can_fuse(const Rows& x, const GatedProduct& product) {
  const auto whole = [](std::int64_t values) { return values % 4 == 0; };
  if (product.matrix->compute() == Compute::f32 || !whole(x.cols) || !whole(x.stride)) return false;
  if (reinterpret_cast<std::uintptr_t>(x.data) % 16 != 0) return false;
  if (product.addition.a == nullptr) return true;
  if (product.addition.parts.size() > 3 || product.addition.a->compute() != compute_of_thin(product.matrix->compute()))
    return false;
  for (const LowRank::Part& part : product.addition.parts) {
    if (part.b->compute() != Compute::bf16 || part.b->cols() > kMostRank) return false;
    if (!whole(part.b->cols()) || !whole(part.thin)) return false;
    const bool last = part.out + part.b->rows() == product.matrix->rows();
    if (part.out % kTileRows != 0 || (!last && part.b->rows() % kTileRows != 0)) return false;
  }
  return true;
}

void launch_fused(Context& context, const FusedProduct& fused, const DeviceRows& rows, std::int64_t most_rows) {
  if (fused.compute == Compute::int8) return launch_kind<OfInt8>(context, fused, rows, most_rows);
  fused.compute == Compute::int4 ? launch_kind<OfInt4>(context, fused, rows, most_rows)
                                 : launch_kind<OfBf16>(context, fused, rows, most_rows);
}

}  // namespace cinnabar::kernels::cuda
