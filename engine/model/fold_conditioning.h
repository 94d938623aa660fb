// A DiT's conditioning (2212.09748) at one noise level, folded into the weights. There every norm's result is scaled and
// shifted, and what a layer adds is gated, by vectors that are products of one condition vector, which a small network
// makes of the noise level. Models that are not told the level (time_conditioning false: MDLM, BD3-LM) have one vector
// for ever, so scales and shifts become the norms' weights and biases, and gates those of the output products.
#pragma once

#include <vector>

#include "engine/model/weights.h"

namespace cinnabar::engine {

// A small product with bias, in f32: weight [outputs, inputs], bias [outputs].
struct SmallProduct {
  std::vector<float> weight, bias;
  std::vector<float> times(const std::vector<float>& x) const;
};

// The condition vector of noise level 0: silu(second silu(first x)) of 256 cosines and sines of 0.
inline constexpr std::int64_t kLevelFeatures = 256;
std::vector<float> condition_without_noise(const SmallProduct& first, const SmallProduct& second);

// Shift, scale and gate of attention, then of the feed-forward part: [6 D] to one layer.
void fold_modulation(const std::vector<float>& modulation, LayerWeights& layer, Weights& owner);
// Shift and scale, [2 D], to a norm's weight and bias (both [D]).
void fold_shift_and_scale(const float* shift, const float* scale, std::vector<float>& weight, std::vector<float>& bias);

}  // namespace cinnabar::engine
