// Sixteen lanes as one AVX-512 register. Included by lanes.h, which says what everything means.
#pragma once

#include <immintrin.h>
#include <stdint.h>

namespace cinnabar::kernels::cpu {
namespace {

struct Lanes {
  __m512 v;
};
CINNABAR_INLINE __mmask16 first_mask(int count) {
  return static_cast<__mmask16>(count >= 16 ? 0xffffu : (1u << count) - 1u);
}
CINNABAR_INLINE Lanes zero() { return {_mm512_setzero_ps()}; }
CINNABAR_INLINE Lanes broadcast(float x) { return {_mm512_set1_ps(x)}; }
CINNABAR_INLINE Lanes load(const float* p) { return {_mm512_loadu_ps(p)}; }
CINNABAR_INLINE Lanes load_first(const float* p, int count) { return {_mm512_maskz_loadu_ps(first_mask(count), p)}; }
CINNABAR_INLINE void store(float* p, Lanes a) { _mm512_storeu_ps(p, a.v); }
CINNABAR_INLINE void store_first(float* p, Lanes a, int count) { _mm512_mask_storeu_ps(p, first_mask(count), a.v); }
CINNABAR_INLINE Lanes add(Lanes a, Lanes b) { return {_mm512_add_ps(a.v, b.v)}; }
CINNABAR_INLINE Lanes sub(Lanes a, Lanes b) { return {_mm512_sub_ps(a.v, b.v)}; }
CINNABAR_INLINE Lanes mul(Lanes a, Lanes b) { return {_mm512_mul_ps(a.v, b.v)}; }
CINNABAR_INLINE Lanes div(Lanes a, Lanes b) { return {_mm512_div_ps(a.v, b.v)}; }
CINNABAR_INLINE Lanes fma(Lanes a, Lanes b, Lanes c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
CINNABAR_INLINE Lanes max(Lanes a, Lanes b) { return {_mm512_max_ps(a.v, b.v)}; }
CINNABAR_INLINE Lanes min(Lanes a, Lanes b) { return {_mm512_min_ps(a.v, b.v)}; }
CINNABAR_INLINE Lanes absolute(Lanes a) { return {_mm512_abs_ps(a.v)}; }
CINNABAR_INLINE Lanes round_even(Lanes a) { return {_mm512_roundscale_ps(a.v, 8)}; }
// a < b ? x : y
CINNABAR_INLINE Lanes select_less(Lanes a, Lanes b, Lanes x, Lanes y) {
  return {_mm512_mask_blend_ps(_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ), y.v, x.v)};
}
// Lane i where bit i is set, else b.
CINNABAR_INLINE Lanes select_bits(unsigned bits, Lanes a, Lanes b) {
  return {_mm512_mask_blend_ps(static_cast<__mmask16>(bits), b.v, a.v)};
}
// 2^n for whole n in [-126, 127].
CINNABAR_INLINE Lanes power_of_two(Lanes n) {
  return {
      _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_add_epi32(_mm512_cvtps_epi32(n.v), _mm512_set1_epi32(127)), 23))};
}
CINNABAR_INLINE float sum(Lanes a) {
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(a.v), _mm512_extractf32x8_ps(a.v, 1));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
CINNABAR_INLINE Lanes load_bf16(const uint16_t* p) {
  return {_mm512_castsi512_ps(
      _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))), 16))};
}
// Sixteen pairs (even, odd) of bf16 beside each other: the lower and the upper halves of 32-bit words.
CINNABAR_INLINE Lanes load_bf16_even(const uint16_t* p) {
  return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_loadu_si512(p), 16))};
}
CINNABAR_INLINE Lanes load_bf16_odd(const uint16_t* p) {
  return {_mm512_castsi512_ps(_mm512_and_si512(_mm512_loadu_si512(p), _mm512_set1_epi32(-65536)))};
}
CINNABAR_INLINE __m512i bf16_bits(Lanes a) {
  const __m512i bits = _mm512_castps_si512(a.v);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i rounded =
      _mm512_srli_epi32(_mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff))), 16);
  const __m512i quiet = _mm512_or_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(0x40));
  return _mm512_mask_blend_epi32(_mm512_cmp_ps_mask(a.v, a.v, _CMP_UNORD_Q), rounded, quiet);
}
CINNABAR_INLINE void store_bf16_first(uint16_t* p, Lanes a, int count) {
  _mm256_mask_storeu_epi16(p, first_mask(count), _mm512_cvtepi32_epi16(bf16_bits(a)));
}
// round(a) as int8 with saturation.
CINNABAR_INLINE void store_int8_first(int8_t* p, Lanes a, int count) {
  _mm_mask_storeu_epi8(p, first_mask(count), _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(a.v)));
}

// --- integer dot products: each sum += the products of four inputs and four weights

constexpr int kRowBlock = 8;
constexpr int kStrips = 2;  // of int8 weights at a time
constexpr int kPartLanes = kLanes;
struct PartSums {
  __m512i v;
};
using PartWeights = PartSums;
// The instruction multiplies unsigned by signed bytes: weights are offset by 128, and the sum starts at -128 sum(x).
CINNABAR_INLINE PartWeights load_weights(const unsigned char* p) {
  return {_mm512_xor_si512(_mm512_loadu_si512(p), _mm512_set1_epi8(-128))};
}
CINNABAR_INLINE PartSums first_sum(int32_t offset) { return {_mm512_set1_epi32(offset)}; }
using FourInputs = __m512i;
CINNABAR_INLINE FourInputs spread(int32_t x) { return _mm512_set1_epi32(x); }
// By hand: for the intrinsic, GCC 12 copies every sum at every step (half the speed with 16 sums).
CINNABAR_INLINE PartSums dot4(PartSums acc, PartWeights w, FourInputs x) {
  asm("vpdpbusd %2, %1, %0" : "+v"(acc.v) : "v"(w.v), "v"(x));
  return acc;
}
CINNABAR_INLINE void add_scaled(float* sum, PartSums part, float x_scale, const float* w_scales) {
  store(sum, fma({_mm512_cvtepi32_ps(part.v)}, mul(broadcast(x_scale), load(w_scales)), load(sum)));
}

}  // namespace
}  // namespace cinnabar::kernels::cpu
