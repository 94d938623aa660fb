// Integer dot products on NEON, by SDOT where the including file is compiled for it: each sum += the products of four
// inputs and four weights. Included by lanes_neon.h; lanes.h says what everything means.
#pragma once

#include <arm_neon.h>
#include <stdint.h>

namespace cinnabar::kernels::cpu {
namespace {

// Sixteen sums for four rows, four registers of weights: 20 of the 32, and the inputs.
constexpr int kRowBlock = 4;
constexpr int kStrips = 1;
constexpr int kPartLanes = kLanes;
struct PartSums {
  int32x4_t v[4];
};
struct PartWeights {
  int8x16_t v[4];
};
using FourInputs = int8x16_t;
CINNABAR_INLINE FourInputs spread(int32_t x) { return vreinterpretq_s8_s32(vdupq_n_s32(x)); }
CINNABAR_INLINE PartWeights load_weights(const unsigned char* p) {
  const int8_t* from = reinterpret_cast<const int8_t*>(p);
  return {{vld1q_s8(from), vld1q_s8(from + 16), vld1q_s8(from + 32), vld1q_s8(from + 48)}};
}
CINNABAR_INLINE PartSums first_sum(int32_t) { return {}; }
CINNABAR_INLINE int32x4_t dot_of_four(int32x4_t acc, int8x16_t w, int8x16_t x) {
#if defined(__ARM_FEATURE_DOTPROD)
  return vdotq_s32(acc, w, x);
#else
  // Neither exceeds 127 in magnitude, so the sum of two products stays below 2^15.
  const int16x8_t two =
      vpaddq_s16(vmull_s8(vget_low_s8(w), vget_low_s8(x)), vmull_s8(vget_high_s8(w), vget_high_s8(x)));
  return vpadalq_s16(acc, two);
#endif
}
CINNABAR_INLINE PartSums dot4(PartSums acc, PartWeights w, FourInputs x) {
  for (int i = 0; i < 4; ++i) acc.v[i] = dot_of_four(acc.v[i], w.v[i], x);
  return acc;
}
CINNABAR_INLINE void add_scaled_four(float* sum, int32x4_t part, float x_scale, const float* w_scales) {
  const float32x4_t scale = vmulq_f32(vdupq_n_f32(x_scale), vld1q_f32(w_scales));
  vst1q_f32(sum, vfmaq_f32(vld1q_f32(sum), vcvtq_f32_s32(part), scale));
}
CINNABAR_INLINE void add_scaled(float* sum, PartSums part, float x_scale, const float* w_scales) {
  for (int i = 0; i < 4; ++i) add_scaled_four(sum + 4 * i, part.v[i], x_scale, w_scales + 4 * i);
}

}  // namespace
}  // namespace cinnabar::kernels::cpu
