// Integer dot products on AVX2, and with AVX-VNNI where the including file is compiled for it: each sum += the products
// of four inputs and four weights. Included by lanes_avx2.h; lanes.h says what everything means.
#pragma once

#include <immintrin.h>
#include <stdint.h>

namespace cinnabar::kernels::cpu {
namespace {

// Eight columns at a time: with sixteen, four rows of sums and the weights would not fit the sixteen registers.
constexpr int kRowBlock = 4;
constexpr int kStrips = 1;
constexpr int kPartLanes = 8;
struct PartSums {
  __m256i v;
};
using FourInputs = __m256i;
CINNABAR_INLINE FourInputs spread(int32_t x) { return _mm256_set1_epi32(x); }
CINNABAR_INLINE __m256i load_bytes(const unsigned char* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
#if defined(__AVXVNNI__)
// As on AVX-512: weights are offset by 128, and the sum starts at -128 sum(x).
struct PartWeights {
  __m256i v;
};
CINNABAR_INLINE PartWeights load_weights(const unsigned char* p) {
  return {_mm256_xor_si256(load_bytes(p), _mm256_set1_epi8(-128))};
}
CINNABAR_INLINE PartSums first_sum(int32_t offset) { return {_mm256_set1_epi32(offset)}; }
CINNABAR_INLINE PartSums dot4(PartSums acc, PartWeights w, FourInputs x) {
  asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(acc.v) : "x"(w.v), "x"(x));
  return acc;
}
#else
struct PartWeights {
  __m256i v, magnitude;
};
CINNABAR_INLINE PartWeights load_weights(const unsigned char* p) {
  const __m256i v = load_bytes(p);
  return {v, _mm256_abs_epi8(v)};
}
CINNABAR_INLINE PartSums first_sum(int32_t) { return {_mm256_setzero_si256()}; }
// |w| times x with w's sign. Neither exceeds 127 in magnitude, so a pair stays below 2^15 and nothing saturates.
CINNABAR_INLINE PartSums dot4(PartSums acc, const PartWeights& w, FourInputs x) {
  const __m256i pairs = _mm256_maddubs_epi16(w.magnitude, _mm256_sign_epi8(x, w.v));
  return {_mm256_add_epi32(acc.v, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))};
}
#endif
CINNABAR_INLINE void add_scaled(float* sum, PartSums part, float x_scale, const float* w_scales) {
  const __m256 scale = _mm256_mul_ps(_mm256_set1_ps(x_scale), _mm256_loadu_ps(w_scales));
  _mm256_storeu_ps(sum, _mm256_fmadd_ps(_mm256_cvtepi32_ps(part.v), scale, _mm256_loadu_ps(sum)));
}

}  // namespace
}  // namespace cinnabar::kernels::cpu
