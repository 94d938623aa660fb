#include "engine/model/fold_conditioning.h"

#include <cmath>
#include <utility>

namespace cinnabar::engine {
namespace {

void silu(std::vector<float>& values) {
  for (float& value : values) value /= 1 + std::exp(-value);
}

// Rows and bias times the gate, in f32.
void gate_rows(const float* gate, kernels::StoredMatrix& matrix, std::vector<float>& bias, Weights& owner) {
  rewrite_rows(matrix, owner, [&](std::int64_t row, float* values) {
    for (std::int64_t col = 0; col < matrix.cols; ++col) values[col] *= gate[row];
  });
  for (std::size_t i = 0; i < bias.size(); ++i) bias[i] *= gate[i];
}

}  // namespace

std::vector<float> SmallProduct::times(const std::vector<float>& x) const {
  std::vector<float> out(bias.size());
  for (std::size_t row = 0; row < out.size(); ++row) {
    double sum = bias[row];
    for (std::size_t i = 0; i < x.size(); ++i) sum += double{weight[row * x.size() + i]} * x[i];
    out[row] = static_cast<float>(sum);
  }
  return out;
}

std::vector<float> condition_without_noise(const SmallProduct& first, const SmallProduct& second) {
  std::vector<float> features(kLevelFeatures);  // cosines, then sines
  for (std::size_t i = 0; i < kLevelFeatures / 2; ++i) features[i] = 1;
  std::vector<float> condition = first.times(features);
  silu(condition);
  condition = second.times(condition);
  silu(condition);
  return condition;
}

void fold_shift_and_scale(const float* shift, const float* scale, std::vector<float>& weight,
                          std::vector<float>& bias) {
  for (std::size_t i = 0; i < weight.size(); ++i) {
    bias[i] = bias[i] * (1 + scale[i]) + shift[i];
    weight[i] *= 1 + scale[i];
  }
}

void fold_modulation(const std::vector<float>& modulation, LayerWeights& layer, Weights& owner) {
  const std::size_t width = layer.attention_norm.size();
  const auto part = [&](std::size_t index) { return modulation.data() + index * width; };
  fold_shift_and_scale(part(0), part(1), layer.attention_norm, layer.attention_norm_bias);
  gate_rows(part(2), layer.matrices[Product::attention_output], layer.biases[Product::attention_output], owner);
  fold_shift_and_scale(part(3), part(4), layer.ffn_norm, layer.ffn_norm_bias);
  gate_rows(part(5), layer.matrices[Product::down], layer.biases[Product::down], owner);
}

}  // namespace cinnabar::engine
