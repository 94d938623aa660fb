// Matrix products. int8 gives the same bits as every level of the CPU backend: sums of a group are exact integers, and
// a group's contribution is added as they do it, acc = fma(float(sum), x scale * w scale, acc), groups ascending.
#include <cassert>
#include <cmath>
#include <string>

#include "kernels/cuda/backend_impl.h"
#include "kernels/cuda/int4.h"
#include "kernels/cuda/linear.h"
#include "kernels/cuda/product.h"
#include "kernels/cuda/reduce.h"

namespace cinnabar::kernels::cuda {
namespace {

constexpr unsigned kThreads = kProductThreads;
constexpr std::int64_t kPackedAtOnce = 4 << 20;  // values on the way to the device

// --- rounding: one warp a row and group

struct Operand {  // where rounded rows go
  std::uint32_t* words;
  float* scales;  // null: bf16
  std::int64_t groups;
  int tile_rows;  // 16: weights; 8: activations
};

__device__ std::uint32_t round_group(const float (&x)[4], float* scale) {
  float largest = 0;
  for (const float value : x) largest = Larger()(fabsf(value), largest);
  largest = reduce_warp(largest, Larger());
  if (threadIdx.x == 0) *scale = scale_of(largest);
  return four_int8(x, largest);
}

// Row blockIdx.x of x becomes row first + blockIdx.x of the operand; thread: one word of group blockIdx.y.
__global__ void round_rows(Rows x, std::int64_t first, Operand to) {
  const bool int8 = to.scales != nullptr;
  const int values = int8 ? 4 : 2;
  const std::int64_t row = first + blockIdx.x, group = blockIdx.y, word = threadIdx.x;
  const std::int64_t tile_group = row / to.tile_rows * to.groups + group;
  float some[4] = {0, 0, 0, 0};
  for (int i = 0; i < values; ++i) {
    const std::int64_t column = (group * kGroupWords + word) * values + i;
    if (column < x.cols) some[i] = x.data[blockIdx.x * x.stride + column];
  }
  const std::uint32_t rounded =
      int8 ? round_group(some, to.scales + tile_group * to.tile_rows + row % to.tile_rows) : two_bf16(some[0], some[1]);
  const bool weights = to.tile_rows == kTileRows;
  const Place place = weights ? place_in_a(static_cast<int>(row % kTileRows), static_cast<int>(word))
                              : place_in_b(static_cast<int>(row % kTileColumns), static_cast<int>(word));
  const int words = weights ? 4 : 2;  // of a lane
  to.words[((tile_group * 4 + place.step) * 32 + place.lane) * words + place.reg] = rounded;
}

__global__ void transpose(Rows x, std::int64_t first, std::int64_t rows, float* to) {
  for (std::int64_t k = threadIdx.x; k < x.cols; k += 32)
    to[k * rows + first + blockIdx.x] = x.data[blockIdx.x * x.stride + k];
}

// --- products

struct Product {
  const LaneOfA* w;  // [tiles][groups][4 steps][32], of int4 without steps
  const LaneOfB* x;
  const float *w_scales, *x_scales;
  std::int64_t groups;
  const float* bias;
  Rows out;
  bool add;
  const Int4Halves *int4_scales, *int4_offsets;
};

__device__ void finish(const Product& p, std::int64_t row, std::int64_t column, float sum) {
  if (row >= p.out.rows || column >= p.out.cols) return;
  float* out = p.out.data + row * p.out.stride + column;
  if (p.bias != nullptr) sum += p.bias[column];
  *out = p.add ? *out + sum : sum;
}

// The exact (int8) or f32 (bf16) sums of one group, for 16 outputs by T tiles of 8 rows, to sums[row][output].
template <typename Kind, int T>
__device__ void multiply_group(const Product& p, std::int64_t tile, std::int64_t x_tile, std::int64_t group,
                               typename Kind::Sum* sums) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  typename Kind::Sum d[T][4] = {};
  const auto rows = [&](int t, int step) { return p.x[(((x_tile + t) * p.groups + group) * 4 + step) * 32 + lane]; };
  if constexpr (std::is_same_v<Kind, OfInt4>) {
    multiply_int4({p.w, p.int4_scales, p.int4_offsets}, tile * p.groups + group, rows, d);
  } else {
    for (int step = 0; step < 4; ++step) {
      const LaneOfA a = p.w[((tile * p.groups + group) * 4 + step) * 32 + lane];
      for (int t = 0; t < T; ++t) multiply(d[t], a.words, rows(t, step).words);
    }
  }
  for (int t = 0; t < T; ++t) {
    for (int i = 0; i < 4; ++i) sums[(8 * t + 2 * (lane % 4) + i % 2) * kTileRows + lane / 4 + i / 2 * 8] = d[t][i];
  }
}

// What `sum` of a group adds to one output of one row.
template <typename Sum>
__device__ float with_scales(const Product& p, std::int64_t tile, std::int64_t x_tile, std::int64_t group, int output,
                             int row, Sum sum, float acc) {
  if constexpr (std::is_same_v<Sum, float>) return with_group(sum, 1, 1, acc);
  const float w_scale = p.w_scales[(tile * p.groups + group) * kTileRows + output];
  const float x_scale = p.x_scales[((x_tile + row / 8) * p.groups + group) * kTileColumns + row % 8];
  return with_group(sum, x_scale, w_scale, acc);
}

// A block: 16 outputs (blockIdx.x) by T tiles of 8 rows (blockIdx.y). Its warps multiply kWarps groups at a time; then
// each of its sums is carried on by one thread, groups ascending, so that nothing depends on T or the rows beside.
template <typename Kind, int T>
__global__ void __launch_bounds__(kThreads) multiply_tiles(Product p) {
  using Sum = typename Kind::Sum;
  constexpr int kSums = kTileRows * kTileColumns * T,
                kEach = (kSums + static_cast<int>(kThreads) - 1) / static_cast<int>(kThreads);
  __shared__ Sum sums[2][kWarps][kSums];
  const std::int64_t tile = blockIdx.x, x_tile = std::int64_t{blockIdx.y} * T;
  const int warp = static_cast<int>(threadIdx.x) / 32;
  float acc[kEach] = {};
  int turn = 0;
  for (std::int64_t first = 0; first < p.groups; first += kWarps, turn = 1 - turn) {
    if (first + warp < p.groups) multiply_group<Kind, T>(p, tile, x_tile, first + warp, sums[turn][warp]);
    __syncthreads();  // one a turn: the other half of `sums` is written next
    for (int i = 0; i < kEach; ++i) {
      const int index = static_cast<int>(threadIdx.x + i * kThreads);
      if (index >= kSums) continue;
      for (int w = 0; w < kWarps && first + w < p.groups; ++w) {
        acc[i] =
            with_scales(p, tile, x_tile, first + w, index % kTileRows, index / kTileRows, sums[turn][w][index], acc[i]);
      }
    }
  }
  for (int i = 0; i < kEach; ++i) {
    const int index = static_cast<int>(threadIdx.x + i * kThreads);
    if (index < kSums)
      finish(p, x_tile * kTileColumns + index / kTileRows, tile * kTileRows + index % kTileRows, acc[i]);
  }
}

// f32: a thread an output, blockIdx.y a row; acc = fma(x_k, w_k, acc), k ascending, as the CPU does it.
__global__ void multiply_f32(Rows x, const float* w, Product p) {
  const std::int64_t column = std::int64_t{blockIdx.x} * kThreads + threadIdx.x, row = blockIdx.y;
  if (column >= p.out.cols) return;
  float acc = 0;
  for (std::int64_t k = 0; k < x.cols; ++k) acc = fmaf(x.data[row * x.stride + k], w[k * p.out.cols + column], acc);
  finish(p, row, column, acc);
}

template <typename Kind>
void multiply_rows(Context& context, const Product& p) {
  const unsigned tiles = blocks(p.out.cols, kTileRows);
  const std::int64_t x_tiles = (p.out.rows + kTileColumns - 1) / kTileColumns;
  if (x_tiles == 1) context.device->launch({tiles, 1}, kThreads, multiply_tiles<Kind, 1>, p);
  if (x_tiles == 2) context.device->launch({tiles, 1}, kThreads, multiply_tiles<Kind, 2>, p);
  if (x_tiles > 2) context.device->launch({tiles, blocks(x_tiles, 4)}, kThreads, multiply_tiles<Kind, 4>, p);
}

// The device's `rows` of expanded weights become rows first, ... of the matrix.
void take_rows(Device& device, DeviceMatrix& matrix, std::int64_t first, Rows rows) {
  if (matrix.compute() == Compute::f32) {
    device.launch({blocks(rows.rows, 1)}, 32, transpose, rows, first, matrix.rows(), matrix.data.as<float>());
    return;
  }
  if (matrix.compute() == Compute::int4) return pack_int4(device, matrix, first, rows);
  const Operand to{matrix.data.as<std::uint32_t>(), matrix.scales.as<float>(), matrix.groups(), kTileRows};
  device.launch({blocks(rows.rows, 1), blocks(matrix.groups(), 1)}, 32, round_rows, rows, first, to);
}

}  // namespace

std::int64_t DeviceMatrix::groups() const {
  if (compute() == Compute::f32) return 0;
  return compute() == Compute::int8 ? (cols() + kGroup - 1) / kGroup : (cols() + 63) / 64;
}

bool DeviceMatrix::allocate(Device& device, bool with_offsets) {
  if (compute() == Compute::f32) {
    data = Memory(device, rows() * cols() * static_cast<std::int64_t>(sizeof(float)));
    return static_cast<bool>(data);
  }
  const std::int64_t rows_of_groups = tiles() * groups() * kTileRows;
  const bool int4 = compute() == Compute::int4;
  const std::int64_t scale_bytes = rows_of_groups * (int4 ? 2 * std::int64_t{sizeof(std::uint16_t)}
                                                     : compute() == Compute::int8 ? std::int64_t{sizeof(float)}
                                                                                  : 0);
  std::pair<Memory*, std::int64_t> parts[] = {{&data, rows_of_groups * (int4 ? kGroupBytes / 4 : kGroupBytes)},
                                              {&scales, scale_bytes},
                                              {&offsets, with_offsets ? scale_bytes : 0}};
  for (auto& [memory, bytes] : parts) {
    if (bytes == 0) continue;
    *memory = Memory(device, bytes);
    if (!*memory) return false;
    device.clear(memory->as<void>(), bytes);  // the last tile's outputs may be fewer than 16
  }
  return true;
}

namespace {

// Memory of the device for `at_once` rows on their way, expanded or as they are stored.
struct Staged {
  Memory memory;
  std::int64_t at_once;
  std::vector<float> expanded;
};

void pack_part(Device& device, DeviceMatrix& matrix, std::int64_t first, const StoredMatrix& part, Staged& staged) {
  const std::int64_t bytes = row_bytes(part.dtype, part.cols);
  const bool as_stored = matrix.compute() == Compute::int4 && has_int4_codes(part.dtype);
  for (std::int64_t done = 0; done < part.rows; done += staged.at_once) {
    const std::int64_t count = std::min(staged.at_once, part.rows - done);
    const std::byte* from = part.data + done * bytes;
    if (as_stored) {
      device.to_device(staged.memory.as<std::byte>(), from, count * bytes);
      pack_int4(device, matrix, first + done, {part.dtype, staged.memory.as<std::byte>(), count, part.cols});
      continue;
    }
    staged.expanded.resize(static_cast<std::size_t>(staged.at_once * part.cols));
    for (std::int64_t row = 0; row < count; ++row)
      dequantize(part.dtype, from + row * bytes, staged.expanded.data() + row * part.cols, part.cols);
    device.to_device(staged.memory.as<float>(), staged.expanded.data(),
                     count * part.cols * static_cast<std::int64_t>(sizeof(float)));
    take_rows(device, matrix, first + done, Rows(staged.memory.as<float>(), count, part.cols));
  }
}

}  // namespace

Result<std::unique_ptr<Matrix>> CudaBackend::pack(std::span<const StoredMatrix> parts, Compute compute) {
  assert(!parts.empty());
  const std::int64_t cols = parts[0].cols;
  std::int64_t rows = 0;
  bool with_offsets = false;
  for (const StoredMatrix& part : parts) {
    assert(part.cols == cols);
    rows += part.rows;
    with_offsets = with_offsets || (compute == Compute::int4 && has_int4_offsets(part.dtype));
  }
  auto matrix = std::make_unique<DeviceMatrix>(rows, cols, compute);
  const std::int64_t at_once = std::max<std::int64_t>(1, std::min(kPackedAtOnce / cols, rows));
  Staged staged{Memory(*context_.device, at_once * cols * static_cast<std::int64_t>(sizeof(float))), at_once, {}};
  if (!staged.memory || !matrix->allocate(*context_.device, with_offsets)) {
    return Status::error("no memory on the GPU for weights of " + std::to_string(rows) + " x " + std::to_string(cols));
  }
  std::int64_t first = 0;
  for (const StoredMatrix& part : parts) {
    pack_part(*context_.device, *matrix, first, part, staged);
    first += part.rows;
  }
  context_.device->wait();  // `staged` goes away
  if (Status failed = context_.failure(); !failed) return failed;
  return std::unique_ptr<Matrix>(std::move(matrix));
}

namespace {

// How a product's rows are rounded.
Compute rounding_of(const Backend::Linear& product) {
  const Compute compute = product.weight->compute();
  return compute == Compute::int4 ? Compute::bf16 : compute;
}

bool same_rounding(const Backend::Linear& a, const Backend::Linear& b) {
  return rounding_of(a) == rounding_of(b) && a.x.data == b.x.data && a.x.rows == b.x.rows && a.x.cols == b.x.cols &&
         a.x.stride == b.x.stride;
}

// `is_rounded`: the context holds x as this product reads it.
void multiply(Context& context, const Backend::Linear& product, bool is_rounded) {
  const Rows &x = product.x, &out = product.out;
  const auto& packed = static_cast<const DeviceMatrix&>(*product.weight);
  assert(x.cols == packed.cols() && out.cols == packed.rows() && x.rows == out.rows);
  if (x.rows == 0) return;
  Product p{packed.data.as<const LaneOfA>(),
            nullptr,
            packed.scales.as<const float>(),
            nullptr,
            packed.groups(),
            product.bias,
            out,
            product.write == Backend::Write::add,
            packed.scales.as<const Int4Halves>(),
            packed.offsets.as<const Int4Halves>()};
  if (packed.compute() == Compute::f32) {
    context.device->launch({blocks(out.cols, kThreads), blocks(out.rows, 1)}, kThreads, multiply_f32, x,
                           packed.data.as<const float>(), p);
    return;
  }
  const bool int8 = packed.compute() == Compute::int8;
  // A whole number of blocks of 4 tiles; the rows beyond the last are never written out.
  const std::int64_t tiles = (x.rows + 31) / 32 * 4;
  if (!context.grow(context.rounded, tiles * packed.groups() * kTileColumns * kGroupBytes) ||
      !context.grow(context.scales, tiles * packed.groups() * kTileColumns * static_cast<std::int64_t>(sizeof(float))))
    return;
  const Operand to{context.rounded.as<std::uint32_t>(), int8 ? context.scales.as<float>() : nullptr, packed.groups(),
                   kTileColumns};
  if (!is_rounded)
    context.device->launch({blocks(x.rows, 1), blocks(packed.groups(), 1)}, 32, round_rows, x, std::int64_t{0}, to);
  p.x = context.rounded.as<const LaneOfB>();
  p.x_scales = to.scales;
  if (int8) return multiply_rows<OfInt8>(context, p);
  packed.compute() == Compute::int4 ? multiply_rows<OfInt4>(context, p) : multiply_rows<OfBf16>(context, p);
}

}  // namespace

void CudaBackend::linear(std::span<const Linear> products) {
  const Backend::Linear* rounded = nullptr;  // the one whose x the context_ holds
  for (const Backend::Linear& product : products) {
    multiply(context_, product, rounded != nullptr && same_rounding(*rounded, product));
    if (product.weight->compute() != Compute::f32) rounded = &product;
  }
}

}  // namespace cinnabar::kernels::cuda
