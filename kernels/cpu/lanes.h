// Sixteen f32 lanes: one AVX-512 register, two AVX2 registers or a plain array, chosen by the flags of the including
// file. Everything has internal linkage, because each of lane_ops_{plain,avx2,avx512}.cc compiles its own copy; files
// that include this must not use inline functions of other headers (the linker could keep the copy with the wider
// instructions).
//
// Every operation is one IEEE operation a lane (fma is fused everywhere), and sum() has one fixed tree, so code written
// over lanes gives the same bits on every level. max(a, b) and min(a, b) give b when either is NaN.
#pragma once

#include <stdint.h>

#if defined(__AVX2__)
#include <immintrin.h>
#else
#include <math.h>
#include <string.h>
#endif

namespace cinnabar::kernels::cpu {
namespace {

#define CINNABAR_INLINE [[maybe_unused, gnu::always_inline]] inline

constexpr int kLanes = 16;

#if defined(__AVX512F__)

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

#elif defined(__AVX2__)

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

#else

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

#endif

// e^x with a relative error below 1.5 units in the last place for x in [-87, 88]; 0 below, e^88 above. Reduction by
// whole multiples of ln 2 (two-part constant), then a polynomial of degree 6 fitted to minimise the largest relative
// error.
CINNABAR_INLINE Lanes exponential(Lanes x) {
  const Lanes lowest = broadcast(-87.0f);
  const Lanes bounded = max(min(x, broadcast(88.0f)), lowest);
  const Lanes n = round_even(mul(bounded, broadcast(1.44269504f)));
  Lanes r = fma(n, broadcast(-0.693359375f), bounded);
  r = fma(n, broadcast(2.12194440e-4f), r);
  Lanes p = fma(broadcast(0.00138144672f), r, broadcast(0.00836878084f));
  p = fma(p, r, broadcast(0.0416683927f));
  p = fma(p, r, broadcast(0.166665196f));
  p = fma(p, r, broadcast(0.49999994f));
  p = add(fma(p, mul(r, r), r), broadcast(1.0f));
  return select_less(x, lowest, zero(), mul(p, power_of_two(n)));
}

}  // namespace
}  // namespace cinnabar::kernels::cpu
