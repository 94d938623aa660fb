// Products of up to kFusedRows rows with what stands before and behind them in one kernel: the norm of the rows, their
// rounding, a gated adapter's addition, and what is made of the outputs. Bits are those of the operations by themselves.
#pragma once

#include "kernels/cuda/linear.h"

namespace cinnabar::kernels::cuda {

// A packed matrix as a kernel reads it (linear.h).
struct Weights {
  const LaneOfA* lanes;
  const float* scales;  // of int8, else null
  std::int64_t groups;
  const Int4Halves *int4_scales, *int4_offsets;  // of int4
};

// Rows that a product reads: row i is row rows[i] of data, or i; there are *count. With `norm` they are normed first.
struct Activations {
  const float* data;
  std::int64_t stride;
  std::int64_t cols;
  const std::int32_t *rows, *count;
  const float* norm;
  float eps;
};

// An addition's part, for outputs [out, end) of the product.
struct AdditionPart {
  Weights b;
  int thin, rank;
  std::int64_t out, end;
};

enum class Finish : std::uint8_t { set, add, gate, heads };

struct HeadPlaces {  // how outputs are heads, and where they go
  int size, turned, queries, keys, layer;
  const float *cosines, *sines;
};

struct FusedProduct {
  Activations x;
  Weights weights;
  const float* bias;
  Compute compute;
  Finish finish;
  std::int64_t columns;  // outputs of the product
  Rows out;              // set, add: the outputs; gate: [rows, columns / 2]; heads: the queries
  HeadPlaces heads;
  int parts;  // of the addition; 0: none
  Weights a;
  AdditionPart part[3];
};

// Where a row's key/value head goes: `index` counts the layer's keys' heads, then its values'.
__device__ inline std::uint16_t* slot_of(const DeviceRows& rows, std::int64_t row, const HeadPlaces& h,
                                         std::int64_t index) {
  const KvPlace kv = rows.kv[row];
  const std::int64_t head = index % h.keys, half = index / h.keys;
  return kv.keys + ((std::int64_t{h.layer} * h.keys + head) * 2 + half) * kv.plane +
         std::int64_t{rows.slots[row]} * h.size;
}

// Whether the kernel can take the product: its rows and columns are of sizes that lanes read whole.
bool can_fuse(const Rows& x, const GatedProduct& product);

// Starts it for rows of the batch, or for its judged rows.
void launch_fused(Context& context, const FusedProduct& fused, const DeviceRows& rows, std::int64_t most_rows);

}  // namespace cinnabar::kernels::cuda
