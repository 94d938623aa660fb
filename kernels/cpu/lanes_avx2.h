// Sixteen lanes as two AVX2 registers. Included by lanes.h, which says what everything means.
#pragma once

#include <immintrin.h>
#include <stdint.h>

namespace cinnabar::kernels::cpu {
namespace {

struct Lanes {
  __m256 a, b;
};
CINNABAR_INLINE __m256i first_mask(int count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
CINNABAR_INLINE Lanes zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
CINNABAR_INLINE Lanes broadcast(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
CINNABAR_INLINE Lanes load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
CINNABAR_INLINE Lanes load_first(const float* p, int count) {
  if (count >= 16) return load(p);
  if (count <= 8) return {_mm256_maskload_ps(p, first_mask(count)), _mm256_setzero_ps()};
  return {_mm256_loadu_ps(p), _mm256_maskload_ps(p + 8, first_mask(count - 8))};
}
CINNABAR_INLINE void store(float* p, Lanes x) {
  _mm256_storeu_ps(p, x.a);
  _mm256_storeu_ps(p + 8, x.b);
}
CINNABAR_INLINE void store_first(float* p, Lanes x, int count) {
  if (count >= 16) return store(p, x);
  if (count <= 8) return _mm256_maskstore_ps(p, first_mask(count), x.a);
  _mm256_storeu_ps(p, x.a);
  _mm256_maskstore_ps(p + 8, first_mask(count - 8), x.b);
}
CINNABAR_INLINE Lanes add(Lanes x, Lanes y) { return {_mm256_add_ps(x.a, y.a), _mm256_add_ps(x.b, y.b)}; }
CINNABAR_INLINE Lanes sub(Lanes x, Lanes y) { return {_mm256_sub_ps(x.a, y.a), _mm256_sub_ps(x.b, y.b)}; }
CINNABAR_INLINE Lanes mul(Lanes x, Lanes y) { return {_mm256_mul_ps(x.a, y.a), _mm256_mul_ps(x.b, y.b)}; }
CINNABAR_INLINE Lanes div(Lanes x, Lanes y) { return {_mm256_div_ps(x.a, y.a), _mm256_div_ps(x.b, y.b)}; }
CINNABAR_INLINE Lanes fma(Lanes x, Lanes y, Lanes z) {
  return {_mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b)};
}
CINNABAR_INLINE Lanes max(Lanes x, Lanes y) { return {_mm256_max_ps(x.a, y.a), _mm256_max_ps(x.b, y.b)}; }
CINNABAR_INLINE Lanes min(Lanes x, Lanes y) { return {_mm256_min_ps(x.a, y.a), _mm256_min_ps(x.b, y.b)}; }
CINNABAR_INLINE Lanes absolute(Lanes x) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  return {_mm256_andnot_ps(sign, x.a), _mm256_andnot_ps(sign, x.b)};
}
CINNABAR_INLINE Lanes round_even(Lanes x) { return {_mm256_round_ps(x.a, 8), _mm256_round_ps(x.b, 8)}; }
CINNABAR_INLINE Lanes select_less(Lanes x, Lanes y, Lanes u, Lanes w) {
  return {_mm256_blendv_ps(w.a, u.a, _mm256_cmp_ps(x.a, y.a, _CMP_LT_OQ)),
          _mm256_blendv_ps(w.b, u.b, _mm256_cmp_ps(x.b, y.b, _CMP_LT_OQ))};
}
CINNABAR_INLINE __m256 bit_mask(unsigned bits) {
  const __m256i each = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  return _mm256_castsi256_ps(
      _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32(static_cast<int>(bits)), each), each));
}
CINNABAR_INLINE Lanes select_bits(unsigned bits, Lanes x, Lanes y) {
  return {_mm256_blendv_ps(y.a, x.a, bit_mask(bits)), _mm256_blendv_ps(y.b, x.b, bit_mask(bits >> 8))};
}
CINNABAR_INLINE __m256 power_of_two_half(__m256 n) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23));
}
CINNABAR_INLINE Lanes power_of_two(Lanes n) { return {power_of_two_half(n.a), power_of_two_half(n.b)}; }
CINNABAR_INLINE float sum(Lanes x) {
  const __m256 eight = _mm256_add_ps(x.a, x.b);
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
CINNABAR_INLINE __m256 load_bf16_half(const uint16_t* p) {
  return _mm256_castsi256_ps(
      _mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))), 16));
}
CINNABAR_INLINE Lanes load_bf16(const uint16_t* p) { return {load_bf16_half(p), load_bf16_half(p + 8)}; }
CINNABAR_INLINE __m256i load_words(const uint16_t* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
CINNABAR_INLINE Lanes load_bf16_even(const uint16_t* p) {
  return {_mm256_castsi256_ps(_mm256_slli_epi32(load_words(p), 16)),
          _mm256_castsi256_ps(_mm256_slli_epi32(load_words(p + 16), 16))};
}
CINNABAR_INLINE Lanes load_bf16_odd(const uint16_t* p) {
  const __m256i upper = _mm256_set1_epi32(-65536);
  return {_mm256_castsi256_ps(_mm256_and_si256(load_words(p), upper)),
          _mm256_castsi256_ps(_mm256_and_si256(load_words(p + 16), upper))};
}
CINNABAR_INLINE __m256i bf16_bits(__m256 x) {
  const __m256i bits = _mm256_castps_si256(x);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i rounded =
      _mm256_srli_epi32(_mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff))), 16);
  const __m256i quiet = _mm256_or_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(0x40));
  return _mm256_blendv_epi8(rounded, quiet, _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q)));
}
CINNABAR_INLINE void store_bf16_first(uint16_t* p, Lanes x, int count) {
  const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(bf16_bits(x.a), bf16_bits(x.b)), 0xd8);
  if (count >= 16) return _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), packed);
  alignas(32) uint16_t all[16];
  _mm256_store_si256(reinterpret_cast<__m256i*>(all), packed);
  for (int i = 0; i < count; ++i) p[i] = all[i];
}
CINNABAR_INLINE void store_int8_first(int8_t* p, Lanes x, int count) {
  const __m256i words = _mm256_packs_epi32(_mm256_cvtps_epi32(x.a), _mm256_cvtps_epi32(x.b));
  const __m256i ordered = _mm256_permute4x64_epi64(words, 0xd8);
  const __m128i bytes = _mm_packs_epi16(_mm256_castsi256_si128(ordered), _mm256_extracti128_si256(ordered, 1));
  if (count >= 16) return _mm_storeu_si128(reinterpret_cast<__m128i*>(p), bytes);
  alignas(16) int8_t all[16];
  _mm_store_si128(reinterpret_cast<__m128i*>(all), bytes);
  for (int i = 0; i < count; ++i) p[i] = all[i];
}

}  // namespace
}  // namespace cinnabar::kernels::cpu

#include "kernels/cpu/dots_avx2.h"
