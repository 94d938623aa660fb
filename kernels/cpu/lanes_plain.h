// Sixteen lanes as a plain array: what the other two must equal. Included by lanes.h, which says what everything means.
#pragma once

#include <math.h>
#include <stdint.h>
#include <string.h>

namespace cinnabar::kernels::cpu {
namespace {

struct Lanes {
  float v[kLanes];
};
#define CINNABAR_EACH(expression)                         \
  Lanes r;                                                \
  for (int i = 0; i < kLanes; ++i) r.v[i] = (expression); \
  return r

CINNABAR_INLINE float from_bits(uint32_t bits) {
  float f;
  memcpy(&f, &bits, sizeof f);
  return f;
}
CINNABAR_INLINE uint32_t to_bits(float f) {
  uint32_t bits;
  memcpy(&bits, &f, sizeof bits);
  return bits;
}
CINNABAR_INLINE Lanes zero() { return {}; }
CINNABAR_INLINE Lanes broadcast(float x) { CINNABAR_EACH(x); }
CINNABAR_INLINE Lanes load(const float* p) { CINNABAR_EACH(p[i]); }
CINNABAR_INLINE Lanes load_first(const float* p, int count) { CINNABAR_EACH(i < count ? p[i] : 0.0f); }
CINNABAR_INLINE void store(float* p, const Lanes& a) { memcpy(p, a.v, sizeof a.v); }
CINNABAR_INLINE void store_first(float* p, const Lanes& a, int count) {
  for (int i = 0; i < kLanes && i < count; ++i) p[i] = a.v[i];
}
CINNABAR_INLINE Lanes add(const Lanes& a, const Lanes& b) { CINNABAR_EACH(a.v[i] + b.v[i]); }
CINNABAR_INLINE Lanes sub(const Lanes& a, const Lanes& b) { CINNABAR_EACH(a.v[i] - b.v[i]); }
CINNABAR_INLINE Lanes mul(const Lanes& a, const Lanes& b) { CINNABAR_EACH(a.v[i] * b.v[i]); }
CINNABAR_INLINE Lanes div(const Lanes& a, const Lanes& b) { CINNABAR_EACH(a.v[i] / b.v[i]); }
CINNABAR_INLINE Lanes fma(const Lanes& a, const Lanes& b, const Lanes& c) {
  CINNABAR_EACH(fmaf(a.v[i], b.v[i], c.v[i]));
}
CINNABAR_INLINE Lanes max(const Lanes& a, const Lanes& b) { CINNABAR_EACH(a.v[i] > b.v[i] ? a.v[i] : b.v[i]); }
CINNABAR_INLINE Lanes min(const Lanes& a, const Lanes& b) { CINNABAR_EACH(a.v[i] < b.v[i] ? a.v[i] : b.v[i]); }
CINNABAR_INLINE Lanes absolute(const Lanes& a) { CINNABAR_EACH(fabsf(a.v[i])); }
CINNABAR_INLINE Lanes round_even(const Lanes& a) { CINNABAR_EACH(nearbyintf(a.v[i])); }
CINNABAR_INLINE Lanes select_less(const Lanes& a, const Lanes& b, const Lanes& x, const Lanes& y) {
  CINNABAR_EACH(a.v[i] < b.v[i] ? x.v[i] : y.v[i]);
}
CINNABAR_INLINE Lanes select_bits(unsigned bits, const Lanes& a, const Lanes& b) {
  CINNABAR_EACH((bits >> i & 1u) != 0 ? a.v[i] : b.v[i]);
}
// Conversions outside the target's range are undefined in C++; the registers saturate or give the smallest integer.
CINNABAR_INLINE int to_int(float x) {
  if (!(x > -2147483648.0f && x < 2147483648.0f)) return INT32_MIN;
  return static_cast<int>(nearbyintf(x));
}
CINNABAR_INLINE Lanes power_of_two(const Lanes& n) {
  CINNABAR_EACH(from_bits((static_cast<uint32_t>(to_int(n.v[i])) + 127u) << 23));
}
CINNABAR_INLINE float sum(const Lanes& a) {
  float half[8];
  for (int i = 0; i < 8; ++i) half[i] = a.v[i] + a.v[i + 8];
  for (int i = 0; i < 4; ++i) half[i] += half[i + 4];
  return (half[0] + half[2]) + (half[1] + half[3]);
}
CINNABAR_INLINE Lanes load_bf16(const uint16_t* p) { CINNABAR_EACH(from_bits(static_cast<uint32_t>(p[i]) << 16)); }
CINNABAR_INLINE Lanes load_bf16_even(const uint16_t* p) {
  CINNABAR_EACH(from_bits(static_cast<uint32_t>(p[2 * i]) << 16));
}
CINNABAR_INLINE Lanes load_bf16_odd(const uint16_t* p) {
  CINNABAR_EACH(from_bits(static_cast<uint32_t>(p[2 * i + 1]) << 16));
}
CINNABAR_INLINE void store_bf16_first(uint16_t* p, const Lanes& a, int count) {
  for (int i = 0; i < kLanes && i < count; ++i) {
    const uint32_t bits = to_bits(a.v[i]);
    const bool nan = (bits & 0x7fffffffu) > 0x7f800000u;
    p[i] = static_cast<uint16_t>(nan ? (bits >> 16) | 0x40u : (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
  }
}
CINNABAR_INLINE void store_int8_first(int8_t* p, const Lanes& a, int count) {
  for (int i = 0; i < kLanes && i < count; ++i) {
    const int value = to_int(a.v[i]);
    p[i] = static_cast<int8_t>(value < -128 ? -128 : value > 127 ? 127 : value);
  }
}
#undef CINNABAR_EACH

// --- integer dot products: each sum += the products of four inputs and four weights

constexpr int kRowBlock = 4;
constexpr int kStrips = 1;
constexpr int kPartLanes = kLanes;
struct PartSums {
  int32_t v[kLanes];
};
struct PartWeights {
  const unsigned char* p;
};
CINNABAR_INLINE PartWeights load_weights(const unsigned char* p) { return {p}; }
CINNABAR_INLINE PartSums first_sum(int32_t) { return {}; }
using FourInputs = int32_t;
CINNABAR_INLINE FourInputs spread(int32_t x) { return x; }
CINNABAR_INLINE PartSums dot4(PartSums acc, PartWeights w, FourInputs x) {
  int8_t four[4];
  memcpy(four, &x, 4);
  for (int i = 0; i < kLanes; ++i) {
    for (int j = 0; j < 4; ++j) acc.v[i] += static_cast<int8_t>(w.p[4 * i + j]) * four[j];
  }
  return acc;
}
CINNABAR_INLINE void add_scaled(float* sum, const PartSums& part, float x_scale, const float* w_scales) {
  Lanes wide;
  for (int i = 0; i < kLanes; ++i) wide.v[i] = static_cast<float>(part.v[i]);
  store(sum, fma(wide, mul(broadcast(x_scale), load(w_scales)), load(sum)));
}

}  // namespace
}  // namespace cinnabar::kernels::cpu
