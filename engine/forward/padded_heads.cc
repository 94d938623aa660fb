#include "engine/forward/padded_heads.h"

#include <cmath>
#include <cstring>

namespace cinnabar::engine {

using kernels::StoredMatrix;

namespace {

constexpr int kMultiple = 32;

}  // namespace

ModelSpec with_padded_heads(const ModelSpec& spec) {
  ModelSpec padded = spec;
  padded.head_size = (spec.head_size + kMultiple - 1) / kMultiple * kMultiple;
  if (padded.head_size != spec.head_size && spec.rotary == 0) padded.rotary = spec.head_size;
  return padded;
}

PaddedHeads::PaddedHeads(const ModelSpec& spec) : spec_(spec), padded_(with_padded_heads(spec)) {}

float PaddedHeads::attention_scale() const { return 1.0f / std::sqrt(static_cast<float>(spec_.head_size)); }

float PaddedHeads::norm_epsilon() const {
  return spec_.norm_epsilon * static_cast<float>(spec_.head_size) / static_cast<float>(padded_.head_size);
}

// Zeros behind every head's rows. Bytes of zero are values of zero in every number format.
StoredMatrix PaddedHeads::with_rows(const StoredMatrix& matrix, std::vector<std::vector<std::byte>>& memory) const {
  const auto row = static_cast<std::size_t>(kernels::row_bytes(matrix.dtype, matrix.cols));
  const auto from = row * static_cast<std::size_t>(spec_.head_size),
             to = row * static_cast<std::size_t>(padded_.head_size);
  const std::int64_t heads = matrix.rows / spec_.head_size;
  auto& bytes = memory.emplace_back(to * static_cast<std::size_t>(heads));
  for (std::int64_t head = 0; head < heads; ++head) {
    const auto at = static_cast<std::size_t>(head);
    std::memcpy(bytes.data() + to * at, matrix.data + from * at, from);
  }
  return {matrix.dtype, bytes.data(), heads * padded_.head_size, matrix.cols};
}

// Zeros behind every head's columns, in f32: blocks of a number format may lie across heads.
StoredMatrix PaddedHeads::with_columns(const StoredMatrix& matrix, std::vector<std::vector<std::byte>>& memory) const {
  const std::int64_t heads = matrix.cols / spec_.head_size, cols = heads * padded_.head_size;
  const std::int64_t row_bytes = kernels::row_bytes(matrix.dtype, matrix.cols);
  auto& bytes = memory.emplace_back(static_cast<std::size_t>(matrix.rows * cols) * sizeof(float));
  auto* to = reinterpret_cast<float*>(bytes.data());
  std::vector<float> row(static_cast<std::size_t>(matrix.cols));
  for (std::int64_t r = 0; r < matrix.rows; ++r) {
    kernels::dequantize(matrix.dtype, matrix.data + r * row_bytes, row.data(), matrix.cols);
    for (std::int64_t head = 0; head < heads; ++head) {
      std::memcpy(to + r * cols + head * padded_.head_size, row.data() + head * spec_.head_size,
                  static_cast<std::size_t>(spec_.head_size) * sizeof(float));
    }
  }
  return {kernels::DType::f32, bytes.data(), matrix.rows, cols};
}

std::vector<float> PaddedHeads::spread(const std::vector<float>& values) const {
  const auto from = static_cast<std::size_t>(spec_.head_size), to = static_cast<std::size_t>(padded_.head_size);
  std::vector<float> out(values.size() / from * to);
  for (std::size_t i = 0; i < values.size(); ++i) out[i / from * to + i % from] = values[i];
  return out;
}

LayerWeights PaddedHeads::padded(const LayerWeights& layer, std::vector<std::vector<std::byte>>& memory) const {
  LayerWeights out = layer;
  if (!pads()) return out;
  for (const Product product : {Product::query, Product::key, Product::value}) {
    out.matrices[product] = with_rows(layer.matrices[product], memory);
    out.biases[product] = spread(layer.biases[product]);
  }
  out.matrices[Product::attention_output] = with_columns(layer.matrices[Product::attention_output], memory);
  const float share = std::sqrt(static_cast<float>(spec_.head_size) / static_cast<float>(padded_.head_size));
  for (auto* norm : {&out.query_norm, &out.key_norm}) {
    *norm = spread(*norm);
    for (float& weight : *norm) weight *= share;
  }
  return out;
}

}  // namespace cinnabar::engine
