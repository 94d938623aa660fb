// Matrix products: packing, rounding of activations, and the division into tasks. The arithmetic is in
// linear_int8_lanes.h, linear_lanes.h and linear_amx.cc.
#include "kernels/cpu/linear.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace cinnabar::kernels::cpu {
namespace {

constexpr std::int64_t kStripGroupBytes = 64 + 16 * kGroup;  // int8: scales and weights of one group of a strip
// Weights of a task: long enough to stream, short enough to share.
constexpr std::int64_t kLeastTaskBytes = 64 << 10;
constexpr std::int64_t kMostTaskBytes = 256 << 10;
constexpr std::int64_t kTasksPerThread = 8;
constexpr std::int64_t kActivationBlock = 1280 << 10;  // rounded activations that stay in L2

std::int64_t depth_of(std::int64_t cols, Compute compute) {
  switch (compute) {
    case Compute::int8:
      return (cols + kGroup - 1) / kGroup;
    case Compute::bf16:
      return (cols + 31) / 32;
    case Compute::f32:
      break;
  }
  return cols;
}

std::int64_t bytes_of_pair(std::int64_t depth, Compute compute) {
  switch (compute) {
    case Compute::int8:
      return 2 * depth * kStripGroupBytes;
    case Compute::bf16:
      return 2 * depth * 1024;
    case Compute::f32:
      break;
  }
  return 2 * depth * 64;
}

// Expands weight row `row` of the stacked parts.
void expand_row(std::span<const StoredMatrix> parts, std::int64_t row, float* out) {
  for (const StoredMatrix& part : parts) {
    if (row < part.rows) {
      dequantize(part.dtype, part.data + row * row_bytes(part.dtype, part.cols), out, part.cols);
      return;
    }
    row -= part.rows;
  }
  assert(false);
}

// Sixteen rows quantised as activations are, then turned so that a column's four inputs lie beside the next column's.
void pack_int8(const LaneOps& ops, const float* rows, std::int64_t cols, int depth, std::byte* strip) {
  std::vector<std::int8_t> tile(static_cast<std::size_t>(depth) * 2048);
  std::vector<float> scales(static_cast<std::size_t>(depth) * 32);
  for (int r = 0; r < 16; ++r) ops.quantize_row(rows + r * cols, cols, depth, tile.data() + 64 * r, scales.data() + r);
  for (int g = 0; g < depth; ++g) {
    std::byte* group = strip + g * 2 * kStripGroupBytes;
    std::memcpy(group, scales.data() + 32 * g, 64);
    for (int k = 0; k < 32; ++k) {
      const std::int8_t* from = tile.data() + 2048 * g + k / 16 * 1024 + k % 16 * 4;
      for (int r = 0; r < 16; ++r) std::memcpy(group + 64 + 64 * k + 4 * r, from + 64 * r, 4);
    }
  }
}

void pack_bf16(const float* rows, std::int64_t cols, std::byte* strip) {
  auto* out = reinterpret_cast<std::uint16_t*>(strip);
  for (int r = 0; r < 16; ++r) {
    for (std::int64_t k = 0; k < cols; ++k) out[k / 2 * 32 + 2 * r + k % 2] = f32_to_bf16(rows[r * cols + k]);
  }
}

void pack_f32(const float* rows, std::int64_t cols, std::byte* strip) {
  auto* out = reinterpret_cast<float*>(strip);
  for (int r = 0; r < 16; ++r) {
    for (std::int64_t k = 0; k < cols; ++k) out[16 * k + r] = rows[r * cols + k];
  }
}

}  // namespace

PackedMatrix::PackedMatrix(std::int64_t rows, std::int64_t cols, Compute compute)
    : Matrix(rows, cols, compute),
      depth_(static_cast<int>(depth_of(cols, compute))),
      pair_bytes_(bytes_of_pair(depth_, compute)) {}

bool PackedMatrix::allocate() {
  // The kernels prefetch some kilobytes behind the end; reading ahead of a mapping is harmless.
  auto pages = Pages::map(bytes());
  if (!pages) return false;
  pages_ = std::move(*pages);
  return true;
}

Result<std::unique_ptr<Matrix>> pack(Context& context, std::span<const StoredMatrix> parts, Compute compute) {
  assert(!parts.empty());
  std::int64_t rows = 0;
  const std::int64_t cols = parts[0].cols;
  for (const StoredMatrix& part : parts) {
    assert(part.cols == cols);
    rows += part.rows;
  }
  auto matrix = std::make_unique<PackedMatrix>(rows, cols, compute);
  if (!matrix->allocate()) {
    return Status::error("no memory for packed weights: " + std::to_string(matrix->bytes()) + " bytes");
  }
  const auto pack_strip = [&](int index, int worker) {
    float* expanded = scratch(context, worker, 16 * cols);
    std::fill(expanded, expanded + 16 * cols, 0.0f);
    const std::int64_t first = 16 * static_cast<std::int64_t>(index);
    for (std::int64_t r = 0; r < 16 && first + r < rows; ++r) expand_row(parts, first + r, expanded + r * cols);
    const std::int64_t second = compute == Compute::int8 ? kStripGroupBytes : matrix->pair_bytes() / 2;
    std::byte* strip = matrix->pair(index / 2) + index % 2 * second;
    if (compute == Compute::int8) pack_int8(context.ops, expanded, cols, matrix->depth(), strip);
    if (compute == Compute::bf16) pack_bf16(expanded, cols, strip);
    if (compute == Compute::f32) pack_f32(expanded, cols, strip);
  };
  context.pool.run(static_cast<int>((rows + 15) / 16), pack_strip);
  return std::unique_ptr<Matrix>(std::move(matrix));
}

void prepare_activations(Context& context, Rows x, const PackedMatrix& weight) {
  const int depth = weight.depth();
  const std::int64_t tiles = (x.rows + 15) / 16;
  if (weight.compute() == Compute::f32) return;
  const bool int8 = weight.compute() == Compute::int8;
  const auto grow = [](auto& buffer, std::int64_t size) {
    if (static_cast<std::int64_t>(buffer.size()) < size) buffer.resize(size);
  };
  if (int8) {
    grow(context.x8, tiles * depth * 2048);
    grow(context.x_scales, tiles * depth * 32);
  } else {
    grow(context.x16, tiles * depth * 512);
  }
  const auto round_tile = [&](int tile, int) {
    for (std::int64_t r = 0; r < 16 && 16 * tile + r < x.rows; ++r) {
      const float* row = x.data + (16 * tile + r) * x.stride;
      const std::int64_t tile_depth = static_cast<std::int64_t>(tile) * depth;
      if (int8) {
        context.ops.quantize_row(row, x.cols, depth, context.x8.data() + tile_depth * 2048 + 64 * r,
                                 context.x_scales.data() + tile_depth * 32 + r);
      } else {
        context.ops.round_row(row, x.cols, depth, context.x16.data() + tile_depth * 512 + 32 * r);
      }
    }
  };
  context.pool.run(static_cast<int>(tiles), round_tile);
}

ProductTask product_task(const Context& context, Rows x, const PackedMatrix& weight, std::int64_t first_row,
                         std::int64_t row_count, std::int64_t first_pair, std::int64_t pair_count) {
  assert(first_row % 16 == 0);
  const std::int64_t tile_depth = first_row / 16 * weight.depth();
  ProductTask task{};
  if (weight.compute() == Compute::int8) {
    task.x8 = context.x8.data() + tile_depth * 2048;
    task.x_scales = context.x_scales.data() + tile_depth * 32;
  }
  if (weight.compute() == Compute::bf16) task.x16 = context.x16.data() + tile_depth * 512;
  task.x32 = x.data + first_row * x.stride;
  task.x_stride = x.stride;
  task.rows = static_cast<int>(row_count);
  task.depth = weight.depth();
  task.pairs = reinterpret_cast<const unsigned char*>(weight.pair(first_pair));
  task.pair_bytes = weight.pair_bytes();
  task.columns = static_cast<int>(std::min(32 * pair_count, weight.rows() - 32 * first_pair));
  return task;
}

void linear(Context& context, Rows x, const Matrix& weight, const float* bias, Rows out, Backend::Write write) {
  const auto& packed = static_cast<const PackedMatrix&>(weight);
  assert(x.cols == packed.cols() && out.cols == packed.rows() && x.rows == out.rows);
  if (x.rows == 0) return;
  prepare_activations(context, x, packed);
  const std::int64_t row_size =
      std::max<std::int64_t>(1, packed.pair_bytes() / 32);  // about the bytes of a rounded row
  const std::int64_t block = std::max<std::int64_t>(64, kActivationBlock / row_size / 64 * 64);
  const std::int64_t blocks = (x.rows + block - 1) / block;
  const std::int64_t task_bytes =
      std::clamp(packed.bytes() / (kTasksPerThread * context.pool.threads()), kLeastTaskBytes, kMostTaskBytes);
  // Many rows make long tasks of few columns.
  const std::int64_t chunk = x.rows > 64 ? 1 : std::max<std::int64_t>(1, task_bytes / packed.pair_bytes());
  const std::int64_t chunks = (packed.pairs() + chunk - 1) / chunk;
  const Product product = context.product(packed.compute());
  const auto multiply = [&](int index, int) {
    const std::int64_t first_row = index / chunks * block;
    const std::int64_t first_pair = index % chunks * chunk;
    ProductTask task = product_task(context, x, packed, first_row, std::min(block, x.rows - first_row), first_pair,
                                    std::min(chunk, packed.pairs() - first_pair));
    task.bias = bias == nullptr ? nullptr : bias + 32 * first_pair;
    task.out = out.data + first_row * out.stride + 32 * first_pair;
    task.out_stride = out.stride;
    task.add = write == Backend::Write::add;
    product(task);
  };
  context.pool.run(static_cast<int>(blocks * chunks), multiply);
}

}  // namespace cinnabar::kernels::cpu
