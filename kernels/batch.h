// The rows of a forward and the weights that they go through, as the composite operations of kernels/backend.h take them.
// Everything is borrowed for the call.
#pragma once

#include <cstdint>
#include <span>

#include "kernels/score.h"
#include "kernels/tensors.h"

namespace cinnabar::kernels {

// Rows [first_row, first_row + limits.size()) of an attention call belong to one sequence; row i of them sees exactly
// the slots [0, limits[i]), 1 <= limits[i] <= capacity. Causal: limit = own slot + 1. Bidirectional inside a block:
// every row of the block has the block's end as limit. Several blocks that continue the same past at different places:
// `hidden` (empty, or one a row) are slots below the limit that the row does not see after all; slot 0 is always seen.
struct AttentionSegment {
  const KvStore* kv;
  std::int64_t first_row;
  std::span<const std::int32_t> limits;
  std::span<const SlotRange> hidden = {};
};

// Rotary embedding in the rotate-half layout (RoFormer 2104.09864; pairs are (i, i + E/2)).
// Only the first `rotary` values of a head are turned (0: all of them, R = E; else pairs are (i, i + R/2)); pair i by the
// angle position * theta^(-2i/R) / divisors[i].
struct RopeSpec {
  float theta;
  int head_size;                         // E
  int rotary = 0;                        // R, even, at most E; below 0: nothing is turned
  std::span<const float> divisors = {};  // [R / 2], or empty: 1. Borrowed for the call.
  float magnitude = 1;                   // of cosines and sines
  int turned() const { return rotary == 0 ? head_size : rotary < 0 ? 0 : rotary; }
};

// What a gated adapter adds to a product, on block rows: x A^T with the As of its parts below one another, of which each
// part takes its own columns, [thin, thin + rank), times B^T, to the product's columns from `out` on.
struct LowRank {
  struct Part {
    const Matrix* b;  // [N of the part, rank]
    std::int64_t thin, out;
  };
  const Matrix* a = nullptr;  // [ranks, K]; null: nothing is added
  std::span<const Part> parts = {};
};

// x W^T + bias, and the addition on block rows.
struct GatedProduct {
  const Matrix* matrix;  // [N, K]
  const float* bias;     // [N] or null
  LowRank addition;
};

// A norm of x, yet to be computed: RMSNorm(x) * weight, or with a bias LayerNorm(x) * weight + bias. x [M, D], weight,
// bias [D].
struct Normed {
  Rows x;
  const float* weight;
  float eps;
  const float* bias = nullptr;
};

// What stands between the feed-forward part's products: gated_silu or gelu (kernels/backend.h).
enum class Activation : std::uint8_t { gated_silu, gelu };

// How the columns of a product [q | k | v] are heads of one layer: H queries, K keys, K values, of E = rope.head_size.
struct Heads {
  int layer;
  int queries, keys;
  const float *query_norm, *key_norm;  // [E], or null: heads are not normed
  float eps;                           // of those norms
  RopeSpec rope;
};

// Rows [first, first + count).
struct RowRange {
  std::int64_t first, count;
};

// The M rows of a forward, sequence by sequence. Vectors have an entry a row.
struct Batch {
  std::span<const std::int32_t> tokens;         // rows of
  const StoredMatrix* embedding;                // [V, D]
  std::int64_t vocabulary;                      // V of the head, and of the requests' masks
  std::span<const std::int32_t> slots;          // where keys and values are written
  std::span<const std::int32_t> positions;      // rotary, >= 0
  std::span<const AttentionSegment> sequences;  // cover all rows in order
  std::span<KvStore* const> stores;             // of the sequences, to be written
  std::span<const RowRange> block_rows;         // those that additions apply to, ascending
  std::span<const std::int32_t> judged;         // rows whose logits are judged, as
  std::span<const ScoreRequest> requests;       // asks for each of them, to
  std::span<Score> scores;
  const StoredMatrix* position_table = nullptr;  // [positions, D], added to the embedding; null: none
  std::int64_t rows() const { return static_cast<std::int64_t>(slots.size()); }
};

// Memory of the device for what lies between the parts of a composite operation; its contents are undefined before and
// after. Each for all rows of the batch.
struct Workspace {
  float* normed;   // [M, D]
  float* gate_up;  // [M, 2F]
  float* thin;     // [M, ranks], of the largest addition
};

}  // namespace cinnabar::kernels
