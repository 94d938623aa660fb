// The closed list of tensor operations a device must offer, its memory and its packed weights. The engine's forward
// (engine/forward/network.cc) is written once against this interface; kernels/cpu is the truth, kernels/cuda must agree with
// it.
//
// Shapes use one alphabet (engine/model/model_spec.h): M rows of a forward, D model width, H query heads, K key/value heads,
// E head size, F feed-forward width, V vocabulary, L layers. All activations are f32, row-major, last index contiguous.
//
// Promise of every backend (invariant "batch invariance", ARCHITECTURE.md): a row's result does not depend on the other
// rows of the call nor on the number of threads, bit for bit. So a token verified among others equals the token decoded
// alone, and a replay repeats.
//
// Threads: one Backend is used by one thread at a time (the engine's); it may use its own workers inside a call.
// Errors: shapes are our own doing and are asserted; what can fail for outside reasons (memory) returns a Result.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "kernels/numeric.h"
#include "kernels/score.h"

namespace cinnabar::kernels {

// Arithmetic of a matrix product. int8: weights and activations as 8-bit integers with one f32 scale per group of
// kGroup values of the inner dimension; integer sums are exact, group sums are added in f32 in ascending order, so
// every CPU path (AMX, VNNI, AVX2, plain) gives the same bits. bf16: operands rounded to bf16, f32 sums. f32:
// everything f32.
enum class Compute : std::uint8_t { f32, bf16, int8 };
inline constexpr int kGroup = 128;

// A weight matrix as it lies in a file: [rows = outputs N, cols = inputs K], row-major in its format. Borrowed.
struct StoredMatrix {
  DType dtype;
  const std::byte* data;
  std::int64_t rows;
  std::int64_t cols;
};

// A weight matrix packed for this device's products. Owns its memory; immutable after packing; outlives no Backend.
class Matrix {
 public:
  virtual ~Matrix() = default;
  std::int64_t rows() const { return rows_; }  // N, outputs
  std::int64_t cols() const { return cols_; }  // K, inputs
  Compute compute() const { return compute_; }
  virtual std::int64_t bytes() const = 0;  // streamed once per product, scales included

 protected:
  Matrix(std::int64_t rows, std::int64_t cols, Compute compute) : rows_(rows), cols_(cols), compute_(compute) {}

 private:
  std::int64_t rows_, cols_;
  Compute compute_;
};

// Device memory of f32 values. `data` may be read or written by the host only where Backend::host_memory() is true.
class Buffer {
 public:
  virtual ~Buffer() = default;
  virtual float* data() = 0;
  virtual std::int64_t size() const = 0;  // in values
};

// A view of activations: `rows` rows of `cols` values, `stride` values from row to row (stride >= cols). Borrowed.
struct Rows {
  float* data;
  std::int64_t rows;
  std::int64_t cols;
  std::int64_t stride;

  Rows(float* values, std::int64_t row_count, std::int64_t col_count)
      : data(values), rows(row_count), cols(col_count), stride(col_count) {}
  Rows(float* values, std::int64_t row_count, std::int64_t col_count, std::int64_t row_stride)
      : data(values), rows(row_count), cols(col_count), stride(row_stride) {}
  // Rows [first, first + count).
  Rows slice(std::int64_t first, std::int64_t count) const { return {data + first * stride, count, cols, stride}; }
  // Columns [first, first + count) of every row.
  Rows columns(std::int64_t first, std::int64_t count) const { return {data + first, rows, count, stride}; }
};

// Keys and values of one sequence for all layers, in bf16, in the backend's own layout: `capacity` slots, each written
// by kv_write and read by attention. Slot i holds position i of the sequence, but where blocks stand side by side.
struct KvShape {
  int layers;
  int kv_heads;
  int head_size;  // E: a multiple of 32, at most 256
  std::int64_t capacity;
};
class KvStore {
 public:
  virtual ~KvStore() = default;
  const KvShape& shape() const { return shape_; }
  virtual std::int64_t bytes() const = 0;

 protected:
  explicit KvStore(const KvShape& shape) : shape_(shape) {}

 private:
  KvShape shape_;
};

// Slots [first, end).
struct SlotRange {
  std::int32_t first = 0, end = 0;
};

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
  int rotary = 0;                        // R, even, at most E
  std::span<const float> divisors = {};  // [R / 2], or empty: 1. Borrowed for the call.
  float magnitude = 1;                   // of cosines and sines
  int turned() const { return rotary > 0 ? rotary : head_size; }
};

class Backend {
 public:
  virtual ~Backend() = default;

  // "cpu (AMX, 2 threads)": for status lines and benches.
  virtual std::string description() const = 0;
  virtual bool host_memory() const = 0;
  // Rows that a forward of the default model computes in about twice the time of one row, by the tables in
  // bench/README.md: up to there a draft that is half right pays.
  virtual int cheap_rows() const = 0;
  // What has made the device unusable (a GPU taken away, memory that was not there): from then on operations compute
  // nothing. Success while all is well. Whoever uses results asks after score_rows or download.
  virtual Status failure() const { return {}; }
  // Returns when all operations before it are done; for clocks. Whoever fetches results waits for them anyway.
  virtual void wait() {}

  // --- memory and weights

  virtual Result<std::unique_ptr<Buffer>> allocate(std::int64_t values) = 0;
  virtual Result<std::unique_ptr<Buffer>> upload(std::span<const float> values) = 0;
  virtual void download(const float* device, std::span<float> host) = 0;
  // Packs the matrices below one another (same K): [N1 + N2 + ..., K]. The sources may go away afterwards.
  virtual Result<std::unique_ptr<Matrix>> pack(std::span<const StoredMatrix> parts, Compute compute) = 0;
  virtual Result<std::unique_ptr<KvStore>> make_kv(const KvShape& shape) = 0;
  // Copies slots [0, count) of every layer. Same layers, heads and head size.
  virtual void copy_kv(const KvStore& from, KvStore& to, std::int64_t count) = 0;

  // --- operations: `out` never overlaps an input unless said

  // out[i, :] = row ids[i] of the table, expanded. out [M, D], table [V, D] as stored.
  virtual void embed(std::span<const std::int32_t> ids, const StoredMatrix& table, Rows out) = 0;
  // RMSNorm (1910.07467): out = x / sqrt(mean(x^2) + eps) * weight. x, out [M, D]; weight [D]. out may be x.
  virtual void rms_norm(Rows x, const float* weight, float eps, Rows out) = 0;
  // The same over each head of x [M, heads * E], in place; weight [E] (Qwen3's q/k norm).
  virtual void head_norm(Rows x, const float* weight, float eps, int head_size) = 0;
  // For each of some products, out (+)= x W^T + bias; x [M, K], W [N, K], bias [N] or null, out [M, N]. None reads or
  // writes what another writes, so small ones need not wait for each other. Neighbours with the same x share its
  // rounding.
  enum class Write : std::uint8_t { set, add };
  struct Linear {
    Rows x;
    const Matrix* weight;
    const float* bias;
    Rows out;
    Write write = Write::set;
  };
  virtual void linear(std::span<const Linear> products) = 0;
  void linear(Rows x, const Matrix& weight, const float* bias, Rows out, Write write = Write::set) {
    const Linear product{x, &weight, bias, out, write};
    linear({&product, 1});
  }
  // Rotates every head of x [M, heads * E] in place by its row's position (>= 0).
  virtual void rope(Rows x, std::span<const std::int32_t> positions, const RopeSpec& spec) = 0;
  // Writes k, v [M, K * E] of the segment's rows at slots[i] of layer `layer`.
  virtual void kv_write(KvStore& kv, int layer, Rows k, Rows v, std::span<const std::int32_t> slots) = 0;
  // out[i] = softmax(q[i] k^T * scale) v over the slots the row sees. q, out [M, H * E]; H is a multiple of K, query
  // head h reads key/value head h / (H / K). Segments cover all rows.
  virtual void attention(Rows q, std::span<const AttentionSegment> segments, int layer, float scale, Rows out) = 0;
  // out = silu(x[:, 0:F]) * x[:, F:2F]. x [M, 2F], out [M, F].
  virtual void gated_silu(Rows x, Rows out) = 0;
  // out[i, :] = x[rows[i], :].
  virtual void gather_rows(Rows x, std::span<const std::int32_t> rows, Rows out) = 0;
  // The output head and the judgement of its logits, fused: logits never leave the device. x [R, D], head [V, D].
  virtual void score_rows(Rows x, const Matrix& head, std::span<const ScoreRequest> requests, std::span<Score> out) = 0;
};

}  // namespace cinnabar::kernels
