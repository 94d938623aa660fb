// Matrix products: packing, rounding of activations, and the division into tasks. The arithmetic is in
// linear_int8_lanes.h, linear_lanes.h, linear_avx512_bf16.cc and linear_amx.cc.
#include "kernels/cpu/linear.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "kernels/cpu/backend_impl.h"
#include "kernels/cpu/narrow.h"
#include "kernels/cpu/packing.h"
#include "kernels/int4.h"

namespace cinnabar::kernels::cpu {
namespace {

static_assert(kGroupValues == kGroup);
// Weights of a task: long enough to stream, short enough to share.
constexpr std::int64_t kLeastTaskBytes = 64 << 10;
constexpr std::int64_t kMostTaskBytes = 256 << 10;
constexpr std::int64_t kTasksPerThread = 8;
constexpr std::int64_t kActivationBlock = 1280 << 10;  // rounded activations that stay in L2
constexpr std::int64_t kRoundedTogether = 4;           // rows; a tile's 16 are a multiple
constexpr std::int64_t kLeastShared = 16 << 10;        // values that are worth two threads' rounding

std::int64_t depth_of(std::int64_t cols, Compute compute) {
  switch (compute) {
    case Compute::int8:
    case Compute::narrow:
      return (cols + kGroup - 1) / kGroup;
    case Compute::bf16:
    case Compute::int4:
      return (cols + 31) / 32;
    case Compute::f32:
      break;
  }
  return cols;
}

std::int64_t bytes_of_pair(std::int64_t depth, Compute compute) {
  switch (compute) {
    case Compute::int8:
    case Compute::narrow:
      return depth * kPairGroupBytes;
    case Compute::bf16:
    case Compute::int4:
      return 2 * depth * kTileBytes;
    case Compute::f32:
      break;
  }
  return 2 * depth * 64;
}

// Sixteen rows quantised as activations are, then turned so that a column's four inputs lie beside the next column's.
void pack_int8(const LaneOps& ops, const float* rows, std::int64_t cols, int depth, std::byte* strip) {
  std::vector<std::int8_t> tile(static_cast<std::size_t>(depth) * kGroupTileBytes);
  std::vector<float> scales(static_cast<std::size_t>(depth) * 32);
  for (int r = 0; r < 16; ++r) ops.quantize_row(rows + r * cols, cols, depth, tile.data() + 64 * r, scales.data() + r);
  for (int g = 0; g < depth; ++g) {
    std::byte* group = strip + std::int64_t{g} * kPairGroupBytes;
    std::memcpy(group, scales.data() + 32 * g, kScaleBytes);
    for (int k = 0; k < 32; ++k) {
      const std::int8_t* from = tile.data() + kGroupTileBytes * g + k / 16 * kTileBytes + k % 16 * 4;
      for (int r = 0; r < 16; ++r) std::memcpy(group + kScaleBytes + 64 * k + 4 * r, from + 64 * r, 4);
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

PackedMatrix::PackedMatrix(std::span<const StoredMatrix> parts, std::int64_t rows, Compute compute)
    : Matrix(rows, parts[0].cols, compute),
      depth_(static_cast<int>(depth_of(cols(), compute))),
      pair_bytes_(bytes_of_pair(depth_, compute)),
      bytes_(pairs() * pair_bytes_) {
  if (compute != Compute::narrow) return;
  bytes_ = 0;
  for (std::int64_t pair = 0; pair < pairs(); ++pair) {
    const int bits = narrow_bits(parts, 32 * pair);
    narrow_.push_back({bytes_, bits});
    bytes_ += bits == 8 ? pair_bytes_ : 2 * cols() / kNarrowInputs * narrow_block_bytes(bits);
  }
}

bool PackedMatrix::allocate() {
  // The kernels prefetch some kilobytes behind the end; reading ahead of a mapping is harmless.
  auto pages = Pages::map(bytes());
  if (!pages) return false;
  pages_ = std::move(*pages);
  return true;
}

namespace {

using Expand = decltype(&dequantize);

// Rows [16 index, 16 index + 16) of the parts below one another. `expanded` [16, K] is scratch.
void pack_strip(const LaneOps& ops, std::span<const StoredMatrix> parts, std::int64_t index, Expand expand,
                float* expanded, const PackedMatrix& to) {
  const std::int64_t cols = to.cols(), first = 16 * index;
  std::fill(expanded, expanded + 16 * cols, 0.0f);
  for (std::int64_t r = 0; r < 16 && first + r < to.rows(); ++r) {
    const StoredRow row = stored_row(parts, first + r);
    expand(row.dtype, row.data, expanded + r * cols, cols);
  }
  std::byte* pair = to.pair(index / 2);
  const std::int64_t second = index % 2;
  if (const int bits = to.bits(index / 2); bits != 8) {
    const std::int64_t block = narrow_block_bytes(bits);
    return pack_narrow(parts, first, expanded, pair + second * block, 2 * block);
  }
  if (to.compute() == Compute::int8)
    return pack_int8(ops, expanded, cols, to.depth(), pair + second * kStripGroupBytes);
  std::byte* strip = pair + second * to.pair_bytes() / 2;
  if (to.compute() == Compute::bf16) return pack_bf16(expanded, cols, strip);
  pack_f32(expanded, cols, strip);
}

}  // namespace

Result<std::unique_ptr<Matrix>> CpuBackend::pack(std::span<const StoredMatrix> parts, Compute compute) {
  const FlushDenormals flush;
  assert(!parts.empty());
  std::int64_t rows = 0;
  const std::int64_t cols = parts[0].cols;
  for (const StoredMatrix& part : parts) {
    assert(part.cols == cols);
    rows += part.rows;
  }
  const Compute kept = compute == Compute::int4 ? Compute::bf16 : compute;
  auto matrix = std::make_unique<PackedMatrix>(parts, rows, kept);
  if (!matrix->allocate()) {
    return Status::error("no memory for packed weights: " + std::to_string(matrix->bytes()) + " bytes");
  }
  const auto pack_one = [&](int index, int worker) {
    pack_strip(context_.ops, parts, index, compute == Compute::int4 ? expand_as_int4 : dequantize,
               scratch(context_, worker, 16 * cols), *matrix);
  };
  context_.pool.run(static_cast<int>((rows + 15) / 16), pack_one);
  return std::unique_ptr<Matrix>(std::move(matrix));
}

namespace {

// Rows [first, first + 4) of one of the operands.
void round_rows(Context& context, const Operands& operands, std::int64_t first) {
  const Rows& x = operands.x;
  const int depth = operands.weight->depth();
  const std::int64_t block = operands.rounded + first / 16 * depth;
  for (std::int64_t row = first; row < std::min(first + kRoundedTogether, x.rows); ++row) {
    const float* values = x.data + row * x.stride;
    if (operands.weight->compute() == Compute::int8) {
      context.ops.quantize_row(values, x.cols, depth, context.x8.data() + block * kGroupTileBytes + 64 * (row % 16),
                               context.x_scales.data() + block * 32 + row % 16);
    } else {
      context.ops.round_row(values, x.cols, depth, context.x16.data() + block * 512 + 32 * (row % 16));
    }
  }
}

bool same_rounding(const Operands& a, const Operands& b) {
  return a.weight->compute() == b.weight->compute() && a.x.data == b.x.data && a.x.rows == b.x.rows &&
         a.x.cols == b.x.cols && a.x.stride == b.x.stride;
}

// Sets where the rounded activations of each are, and makes room for them.
void lay_out(Context& context, std::span<Operands> operands) {
  std::int64_t int8_blocks = 0, bf16_blocks = 0;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    Operands& each = operands[i];
    if (each.weight->compute() == Compute::f32) continue;  // multiplied as they are
    each.shares = i > 0 && same_rounding(operands[i - 1], each);
    if (each.shares) {
      each.rounded = operands[i - 1].rounded;
      continue;
    }
    std::int64_t& blocks = each.weight->compute() == Compute::int8 ? int8_blocks : bf16_blocks;
    each.rounded = blocks;
    blocks += (each.x.rows + 15) / 16 * each.weight->depth();
  }
  const auto grow = [](auto& buffer, std::int64_t size) {
    if (static_cast<std::int64_t>(buffer.size()) < size) buffer.resize(static_cast<std::size_t>(size));
  };
  grow(context.x8, int8_blocks * kGroupTileBytes);
  grow(context.x_scales, int8_blocks * 32);
  grow(context.x16, bf16_blocks * 512);
}

}  // namespace

void round_activations(Context& context, std::span<Operands> operands) {
  lay_out(context, operands);
  for (const Operands& each : operands) {
    if (each.weight->compute() == Compute::f32 || each.shares) continue;
    const auto round = [&](int task, int) { round_rows(context, each, task * kRoundedTogether); };
    const std::int64_t tasks = (each.x.rows + kRoundedTogether - 1) / kRoundedTogether;
    if (each.x.rows * each.x.cols > kLeastShared) {
      context.pool.run(static_cast<int>(tasks), round);
    } else {
      for (int task = 0; task < tasks; ++task) round(task, 0);
    }
  }
}

ProductTask product_task(const Context& context, const Operands& operands, std::int64_t first_row,
                         std::int64_t row_count) {
  assert(first_row % 16 == 0);
  const PackedMatrix& weight = *operands.weight;
  const std::int64_t block = operands.rounded + first_row / 16 * weight.depth();
  ProductTask task{};
  if (weight.compute() == Compute::int8) {
    task.x8 = context.x8.data() + block * kGroupTileBytes;
    task.x_scales = context.x_scales.data() + block * 32;
  }
  if (weight.compute() == Compute::bf16) task.x16 = context.x16.data() + block * 512;
  task.x32 = operands.x.data + first_row * operands.x.stride;
  task.x_stride = operands.x.stride;
  task.rows = static_cast<int>(row_count);
  task.depth = weight.depth();
  task.pair_bytes = weight.pair_bytes();
  return task;
}

namespace {

// The pair as products take it: where it lies so, or expanded into the worker's memory.
const unsigned char* as_multiplied(Context& context, const PackedMatrix& weight, std::int64_t pair, int worker) {
  const auto* from = reinterpret_cast<const unsigned char*>(weight.pair(pair));
  const int bits = weight.bits(pair);
  if (bits == 8) return from;
  unsigned char* to = weight_scratch(context, worker, weight.pair_bytes());
  const int block = narrow_block_bytes(bits);
  for (int groups = 0; groups < weight.depth(); groups += 2, from += 2 * block) {
    for (int strip = 0; strip < 2; ++strip) {
      context.ops.expand_narrow(from + strip * block, bits,
                                to + std::int64_t{groups} * kPairGroupBytes + strip * kStripGroupBytes);
    }
  }
  return to;
}

}  // namespace

void multiply_pairs(Context& context, ProductTask task, const PackedMatrix& weight, std::int64_t first,
                    std::int64_t count, int worker) {
  const Product product = context.product(weight.compute());
  const std::int64_t together = weight.is_narrow() ? 1 : count;
  for (std::int64_t pair = first; pair < first + count; pair += together) {
    task.pairs = as_multiplied(context, weight, pair, worker);
    task.columns = static_cast<int>(std::min(32 * together, weight.rows() - 32 * pair));
    product(task);
    task.out += 32 * together;
    if (task.bias != nullptr) task.bias += 32 * together;
  }
}

namespace {

// How the tasks of one product divide it: blocks of rows by chunks of column pairs.
struct Division {
  const Backend::Linear* product;
  const PackedMatrix* weight;
  std::int64_t block, chunk;    // rows, pairs
  std::int64_t blocks, chunks;  // how many of them
  std::int64_t tasks() const { return blocks * chunks; }
};

Division divide(const Backend::Linear& product, const PackedMatrix& weight, int threads) {
  const std::int64_t rows = product.x.rows;
  const std::int64_t row_size =
      std::max<std::int64_t>(1, weight.pair_bytes() / 32);  // about the bytes of a rounded row
  const std::int64_t block = std::max<std::int64_t>(64, kActivationBlock / row_size / 64 * 64);
  const std::int64_t task_bytes =
      std::clamp(weight.pairs() * weight.pair_bytes() / (kTasksPerThread * threads), kLeastTaskBytes, kMostTaskBytes);
  // Many rows make long tasks of few columns.
  const std::int64_t chunk = rows > 64 ? 1 : std::max<std::int64_t>(1, task_bytes / weight.pair_bytes());
  return {&product, &weight, block, chunk, (rows + block - 1) / block, (weight.pairs() + chunk - 1) / chunk};
}

void multiply(Context& context, const Division& division, const Operands& operands, std::int64_t index, int worker) {
  const Backend::Linear& product = *division.product;
  const std::int64_t first_row = index / division.chunks * division.block;
  const std::int64_t first_pair = index % division.chunks * division.chunk;
  ProductTask task = product_task(context, operands, first_row, std::min(division.block, product.x.rows - first_row));
  task.bias = product.bias == nullptr ? nullptr : product.bias + 32 * first_pair;
  task.out = product.out.data + first_row * product.out.stride + 32 * first_pair;
  task.out_stride = product.out.stride;
  task.add = product.write == Backend::Write::add;
  multiply_pairs(context, task, *division.weight, first_pair,
                 std::min(division.chunk, division.weight->pairs() - first_pair), worker);
}

}  // namespace

void CpuBackend::linear(std::span<const Linear> products) {
  const FlushDenormals flush;
  std::vector<Division> divisions;
  std::vector<Operands> operands;
  std::int64_t tasks = 0;
  for (const Backend::Linear& product : products) {
    const auto& weight = static_cast<const PackedMatrix&>(*product.weight);
    assert(product.x.cols == weight.cols() && product.out.cols == weight.rows() && product.x.rows == product.out.rows);
    if (product.x.rows == 0) continue;
    divisions.push_back(divide(product, weight, context_.pool.threads()));
    operands.push_back({product.x, &weight});
    tasks += divisions.back().tasks();
  }
  round_activations(context_, operands);
  const auto run = [&](int task, int worker) {
    std::size_t at = 0;
    std::int64_t index = task;
    for (; index >= divisions[at].tasks(); ++at) index -= divisions[at].tasks();
    multiply(context_, divisions[at], operands[at], index, worker);
  };
  context_.pool.run(static_cast<int>(tasks), run);
}

}  // namespace cinnabar::kernels::cpu
