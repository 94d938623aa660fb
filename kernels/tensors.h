// What operations work on: weights, activations, keys and values. Shapes use one alphabet (engine/model/model_spec.h): M
// rows of a forward, D model width, H query heads, K key/value heads, E head size, F feed-forward width, V vocabulary, L
// layers. All activations are f32, row-major, last index contiguous.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/numeric.h"

namespace cinnabar::kernels {

// Arithmetic of a matrix product. int8: weights and activations as 8-bit integers with one f32 scale per group of
// kGroup values of the inner dimension; integer sums are exact, group sums are added in f32 in ascending order, so
// every CPU path (AMX, VNNI, AVX2, plain) gives the same bits. bf16: operands rounded to bf16, f32 sums. f32:
// everything f32. int4: weights as 4-bit codes with scales of groups of 32 (kernels/int4.h), activations bf16, f32 sums;
// where a device has no such product (the CPU), what the codes stand for is kept in bf16. narrow: int8's arithmetic to the
// bit, but weights that came in Q4_K, Q5_K or Q6_K keep about their bits until they are multiplied, where the device has a
// form for that (the CPU): less memory, more work.
enum class Compute : std::uint8_t { f32, bf16, int8, int4, narrow };
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
  std::int64_t rows() const { return rows_; }   // N, outputs
  std::int64_t cols() const { return cols_; }   // K, inputs
  Compute compute() const { return compute_; }  // never narrow: int8, which it computes in
  virtual std::int64_t bytes() const = 0;       // streamed once per product, scales included

 protected:
  Matrix(std::int64_t rows, std::int64_t cols, Compute compute)
      : rows_(rows), cols_(cols), compute_(compute == Compute::narrow ? Compute::int8 : compute) {}

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

}  // namespace cinnabar::kernels
