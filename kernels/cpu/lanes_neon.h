// Sixteen lanes as four NEON registers. Included by lanes.h, which says what everything means.
#pragma once

#include <arm_neon.h>
#include <stdint.h>

namespace cinnabar::kernels::cpu {
namespace {

struct Lanes {
  float32x4_t v[4];
};
#define CINNABAR_EACH(expression)                    \
  Lanes r;                                           \
  for (int i = 0; i < 4; ++i) r.v[i] = (expression); \
  return r

CINNABAR_INLINE Lanes broadcast(float x) { CINNABAR_EACH(vdupq_n_f32(x)); }
CINNABAR_INLINE Lanes zero() { return broadcast(0.0f); }
CINNABAR_INLINE Lanes load(const float* p) { CINNABAR_EACH(vld1q_f32(p + 4 * i)); }
CINNABAR_INLINE Lanes load_first(const float* p, int count) {
  if (count >= kLanes) return load(p);
  float some[kLanes] = {};
  for (int i = 0; i < count; ++i) some[i] = p[i];
  return load(some);
}
CINNABAR_INLINE void store(float* p, Lanes a) {
  for (int i = 0; i < 4; ++i) vst1q_f32(p + 4 * i, a.v[i]);
}
CINNABAR_INLINE void store_first(float* p, Lanes a, int count) {
  if (count >= kLanes) return store(p, a);
  float all[kLanes];
  store(all, a);
  for (int i = 0; i < count; ++i) p[i] = all[i];
}
CINNABAR_INLINE Lanes add(Lanes a, Lanes b) { CINNABAR_EACH(vaddq_f32(a.v[i], b.v[i])); }
CINNABAR_INLINE Lanes sub(Lanes a, Lanes b) { CINNABAR_EACH(vsubq_f32(a.v[i], b.v[i])); }
CINNABAR_INLINE Lanes mul(Lanes a, Lanes b) { CINNABAR_EACH(vmulq_f32(a.v[i], b.v[i])); }
CINNABAR_INLINE Lanes div(Lanes a, Lanes b) { CINNABAR_EACH(vdivq_f32(a.v[i], b.v[i])); }
CINNABAR_INLINE Lanes fma(Lanes a, Lanes b, Lanes c) { CINNABAR_EACH(vfmaq_f32(c.v[i], a.v[i], b.v[i])); }
// vmaxq and vminq would give NaN where either is.
CINNABAR_INLINE Lanes max(Lanes a, Lanes b) { CINNABAR_EACH(vbslq_f32(vcgtq_f32(a.v[i], b.v[i]), a.v[i], b.v[i])); }
CINNABAR_INLINE Lanes min(Lanes a, Lanes b) { CINNABAR_EACH(vbslq_f32(vcltq_f32(a.v[i], b.v[i]), a.v[i], b.v[i])); }
CINNABAR_INLINE Lanes absolute(Lanes a) { CINNABAR_EACH(vabsq_f32(a.v[i])); }
CINNABAR_INLINE Lanes round_even(Lanes a) { CINNABAR_EACH(vrndnq_f32(a.v[i])); }
CINNABAR_INLINE Lanes select_less(Lanes a, Lanes b, Lanes x, Lanes y) {
  CINNABAR_EACH(vbslq_f32(vcltq_f32(a.v[i], b.v[i]), x.v[i], y.v[i]));
}
CINNABAR_INLINE Lanes select_bits(unsigned bits, Lanes a, Lanes b) {
  constexpr uint32_t kEach[4] = {1, 2, 4, 8};
  const uint32x4_t each = vld1q_u32(kEach);
  CINNABAR_EACH(vbslq_f32(vtstq_u32(vdupq_n_u32(bits >> 4 * i), each), a.v[i], b.v[i]));
}
// As on the other levels: the smallest integer where the value does not fit, and for NaN.
CINNABAR_INLINE int32x4_t to_ints(float32x4_t x) {
  const uint32x4_t fits = vcltq_f32(vabsq_f32(x), vdupq_n_f32(2147483648.0f));
  return vbslq_s32(fits, vcvtnq_s32_f32(x), vdupq_n_s32(INT32_MIN));
}
CINNABAR_INLINE Lanes power_of_two(Lanes n) {
  CINNABAR_EACH(vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vcvtnq_s32_f32(n.v[i]), vdupq_n_s32(127)), 23)));
}
CINNABAR_INLINE float sum(Lanes a) {
  const float32x4_t four = vaddq_f32(vaddq_f32(a.v[0], a.v[2]), vaddq_f32(a.v[1], a.v[3]));
  const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
  return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}
CINNABAR_INLINE Lanes load_bf16(const uint16_t* p) {
  CINNABAR_EACH(vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p + 4 * i), 16)));
}
CINNABAR_INLINE uint32x4_t load_pairs(const uint16_t* p) { return vreinterpretq_u32_u16(vld1q_u16(p)); }
CINNABAR_INLINE Lanes load_bf16_even(const uint16_t* p) {
  CINNABAR_EACH(vreinterpretq_f32_u32(vshlq_n_u32(load_pairs(p + 8 * i), 16)));
}
CINNABAR_INLINE Lanes load_bf16_odd(const uint16_t* p) {
  CINNABAR_EACH(vreinterpretq_f32_u32(vandq_u32(load_pairs(p + 8 * i), vdupq_n_u32(0xffff0000u))));
}
CINNABAR_INLINE uint16x4_t bf16_bits(float32x4_t x) {
  const uint32x4_t bits = vreinterpretq_u32_f32(x);
  const uint32x4_t odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
  const uint32x4_t rounded = vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7fff)));
  const uint32x4_t quiet = vorrq_u32(bits, vdupq_n_u32(0x400000));
  return vshrn_n_u32(vbslq_u32(vceqq_f32(x, x), rounded, quiet), 16);
}
CINNABAR_INLINE void store_bf16_first(uint16_t* p, Lanes a, int count) {
  uint16_t all[kLanes];
  uint16_t* to = count >= kLanes ? p : all;
  for (int i = 0; i < 4; ++i) vst1_u16(to + 4 * i, bf16_bits(a.v[i]));
  for (int i = 0; i < count && count < kLanes; ++i) p[i] = all[i];
}
CINNABAR_INLINE void store_int8_first(int8_t* p, Lanes a, int count) {
  int16x8_t half[2];
  for (int i = 0; i < 2; ++i)
    half[i] = vcombine_s16(vqmovn_s32(to_ints(a.v[2 * i])), vqmovn_s32(to_ints(a.v[2 * i + 1])));
  const int8x16_t bytes = vcombine_s8(vqmovn_s16(half[0]), vqmovn_s16(half[1]));
  if (count >= kLanes) return vst1q_s8(p, bytes);
  int8_t all[kLanes];
  vst1q_s8(all, bytes);
  for (int i = 0; i < count; ++i) p[i] = all[i];
}
#undef CINNABAR_EACH

}  // namespace
}  // namespace cinnabar::kernels::cpu

#include "kernels/cpu/dots_neon.h"
