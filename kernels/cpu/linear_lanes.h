// Matrix products over lanes (a lane is an output column), included by lane_ops_*.cc. Every row is computed by itself
// in ascending order of the inner dimension, so its bits depend on nothing else.
#pragma once

#include "kernels/cpu/lane_ops.h"
#include "kernels/cpu/lanes.h"

namespace cinnabar::kernels::cpu {
namespace {

// --- integer dot products: acc[column] += sum of 4 products
// --------------------------------------------------------------

#if defined(__AVX512F__)
constexpr int kRowBlock = 8;
struct IntLanes {
  __m512i v;
};
using WeightLanes = IntLanes;
// The instruction multiplies unsigned by signed bytes: weights are offset by 128, and the sum starts at -128 sum(x).
CINNABAR_INLINE WeightLanes load_weights(const unsigned char* p) {
  return {_mm512_xor_si512(_mm512_loadu_si512(p), _mm512_set1_epi8(-128))};
}
CINNABAR_INLINE IntLanes first_sum(int32_t offset) { return {_mm512_set1_epi32(offset)}; }
CINNABAR_INLINE IntLanes dot4(IntLanes acc, WeightLanes w, int32_t x) {
  return {_mm512_dpbusd_epi32(acc.v, w.v, _mm512_set1_epi32(x))};
}
CINNABAR_INLINE Lanes to_lanes(IntLanes a) { return {_mm512_cvtepi32_ps(a.v)}; }
#elif defined(__AVX2__)
constexpr int kRowBlock = 4;
struct IntLanes {
  __m256i a, b;
};
struct WeightLanes {
  __m256i a, b, magnitude_a, magnitude_b;
};
CINNABAR_INLINE WeightLanes load_weights(const unsigned char* p) {
  const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 32));
  return {a, b, _mm256_abs_epi8(a), _mm256_abs_epi8(b)};
}
CINNABAR_INLINE IntLanes first_sum(int32_t) { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
// |w| times x with w's sign. Neither exceeds 127 in magnitude, so a pair stays below 2^15 and nothing saturates.
CINNABAR_INLINE __m256i dot4_half(__m256i acc, __m256i w, __m256i magnitude, __m256i x) {
  const __m256i pairs = _mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(x, w));
  return _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}
CINNABAR_INLINE IntLanes dot4(IntLanes acc, const WeightLanes& w, int32_t x) {
  const __m256i four = _mm256_set1_epi32(x);
  return {dot4_half(acc.a, w.a, w.magnitude_a, four), dot4_half(acc.b, w.b, w.magnitude_b, four)};
}
CINNABAR_INLINE Lanes to_lanes(IntLanes x) { return {_mm256_cvtepi32_ps(x.a), _mm256_cvtepi32_ps(x.b)}; }
#else
constexpr int kRowBlock = 4;
struct IntLanes {
  int32_t v[kLanes];
};
struct WeightLanes {
  const unsigned char* p;
};
CINNABAR_INLINE WeightLanes load_weights(const unsigned char* p) { return {p}; }
CINNABAR_INLINE IntLanes first_sum(int32_t) { return {}; }
CINNABAR_INLINE IntLanes dot4(IntLanes acc, WeightLanes w, int32_t x) {
  int8_t four[4];
  memcpy(four, &x, 4);
  for (int i = 0; i < kLanes; ++i) {
    for (int j = 0; j < 4; ++j) acc.v[i] += static_cast<int8_t>(w.p[4 * i + j]) * four[j];
  }
  return acc;
}
CINNABAR_INLINE Lanes to_lanes(const IntLanes& a) {
  Lanes r;
  for (int i = 0; i < kLanes; ++i) r.v[i] = static_cast<float>(a.v[i]);
  return r;
}
#endif

// --- shared ends
// -----------------------------------------------------------------------------------------------------------

CINNABAR_INLINE int at_most(int a, int limit) { return a < limit ? a : limit; }

// out (+)= acc + bias for the first `count` columns.
CINNABAR_INLINE void finish(const ProductTask& t, int row, int column, Lanes acc) {
  const int count = at_most(t.columns - column, kLanes);
  float* out = t.out + row * t.out_stride + column;
  if (t.bias != nullptr) acc = add(acc, load_first(t.bias + column, count));
  if (t.add) acc = add(load_first(out, count), acc);
  store_first(out, acc, count);
}

// --- int8: acc = fma(float(exact integer sum of a group), x scale * w scale, acc), groups ascending
// --------------------------

CINNABAR_INLINE int32_t word_at(const int8_t* p) {
  int32_t word;
  __builtin_memcpy(&word, p, 4);
  return word;
}

template <int R>
CINNABAR_INLINE void int8_rows(const ProductTask& t, const unsigned char* strip, int row, int column) {
  // Rows of a block lie in one tile: blocks start at multiples of their power-of-two size.
  const int tile = row / 16;
  const int8_t* x = t.x8 + static_cast<int64_t>(tile) * t.depth * 2048 + (row % 16) * 64;
  const float* scales = t.x_scales + static_cast<int64_t>(tile) * t.depth * 32 + row % 16;
  Lanes acc[R];
  for (int r = 0; r < R; ++r) acc[r] = zero();
  for (int g = 0; g < t.depth; ++g, strip += 4224, x += 2048, scales += 32) {
    IntLanes sum_lanes[R];
    for (int r = 0; r < R; ++r) sum_lanes[r] = first_sum(static_cast<int32_t>(scales[16 + r]));
#if defined(__AVX512F__)
    if (R == 1) {
      for (int i = 0; i < 33; ++i) __builtin_prefetch(strip + 8448 + 64 * i, 0, 2);
    }
#endif
    for (int k = 0; k < 32; ++k) {
      const WeightLanes w = load_weights(strip + 64 + 64 * k);
      const int8_t* four = x + (k / 16) * 1024 + (k % 16) * 4;
      for (int r = 0; r < R; ++r) sum_lanes[r] = dot4(sum_lanes[r], w, word_at(four + 64 * r));
    }
    const Lanes w_scale = load(reinterpret_cast<const float*>(strip));
    for (int r = 0; r < R; ++r) acc[r] = fma(to_lanes(sum_lanes[r]), mul(broadcast(scales[r]), w_scale), acc[r]);
  }
  for (int r = 0; r < R; ++r) finish(t, row + r, column, acc[r]);
}

// --- bf16: acc = fma(x_k, w_k, acc), k ascending
// -----------------------------------------------------------------------------

CINNABAR_INLINE float bf16_value(uint16_t bits) {
  const uint32_t word = static_cast<uint32_t>(bits) << 16;
  float value;
  __builtin_memcpy(&value, &word, 4);
  return value;
}

template <int R>
CINNABAR_INLINE void bf16_rows(const ProductTask& t, const unsigned char* strip, int row, int column) {
  const uint16_t* x = t.x16 + static_cast<int64_t>(row / 16) * t.depth * 512 + (row % 16) * 32;
  const uint16_t* w = reinterpret_cast<const uint16_t*>(strip);
  Lanes acc[R];
  for (int r = 0; r < R; ++r) acc[r] = zero();
  for (int block = 0; block < t.depth; ++block, x += 512) {
    for (int pair = 0; pair < 16; ++pair, w += 32) {
      const Lanes even = load_bf16_even(w);
      const Lanes odd = load_bf16_odd(w);
      for (int r = 0; r < R; ++r) {
        acc[r] = fma(broadcast(bf16_value(x[32 * r + 2 * pair])), even, acc[r]);
        acc[r] = fma(broadcast(bf16_value(x[32 * r + 2 * pair + 1])), odd, acc[r]);
      }
    }
  }
  for (int r = 0; r < R; ++r) finish(t, row + r, column, acc[r]);
}

// --- f32: the same on plain values
// -------------------------------------------------------------------------------------------

template <int R>
CINNABAR_INLINE void f32_rows(const ProductTask& t, const unsigned char* strip, int row, int column) {
  const float* x = t.x32 + row * t.x_stride;
  const float* w = reinterpret_cast<const float*>(strip);
  Lanes acc[R];
  for (int r = 0; r < R; ++r) acc[r] = zero();
  for (int k = 0; k < t.depth; ++k, w += kLanes) {
    const Lanes column_weights = load(w);
    for (int r = 0; r < R; ++r) acc[r] = fma(broadcast(x[r * t.x_stride + k]), column_weights, acc[r]);
  }
  for (int r = 0; r < R; ++r) finish(t, row + r, column, acc[r]);
}

enum class Kind { int8, bf16, f32 };

template <Kind kind, int R>
void some_rows(const ProductTask& t, const unsigned char* strip, int row, int column) {
  if constexpr (kind == Kind::int8) int8_rows<R>(t, strip, row, column);
  if constexpr (kind == Kind::bf16) bf16_rows<R>(t, strip, row, column);
  if constexpr (kind == Kind::f32) f32_rows<R>(t, strip, row, column);
}

template <Kind kind>
void product(const ProductTask& t) {
  for (int column = 0; column < t.columns; column += kLanes) {
    const int64_t second = kind == Kind::int8 ? 2112 : t.pair_bytes / 2;
    const unsigned char* strip = t.pairs + column / 32 * t.pair_bytes + column / kLanes % 2 * second;
    int row = 0;
    for (; row + kRowBlock <= t.rows; row += kRowBlock) some_rows<kind, kRowBlock>(t, strip, row, column);
    if constexpr (kRowBlock > 4) {
      if (row + 4 <= t.rows) some_rows<kind, 4>(t, strip, row, column), row += 4;
    }
    if (row + 2 <= t.rows) some_rows<kind, 2>(t, strip, row, column), row += 2;
    if (row < t.rows) some_rows<kind, 1>(t, strip, row, column);
  }
}

// --- rounding of activations
// -------------------------------------------------------------------------------------------------

// q = round(x 127 / largest) for each group of 128; a group that is (nearly) zero becomes zeros.
void quantize_row(const float* x, int64_t cols, int groups, int8_t* tile_row, float* scales) {
  for (int g = 0; g < groups; ++g, tile_row += 2048, scales += 32) {
    const int64_t first = 128 * static_cast<int64_t>(g);
    const int count = cols - first < 128 ? static_cast<int>(cols - first) : 128;
    Lanes largest_lanes = zero();
    for (int i = 0; i < count; i += kLanes) {
      largest_lanes = max(absolute(load_first(x + first + i, at_most(count - i, kLanes))), largest_lanes);
    }
    float each[kLanes];
    store(each, largest_lanes);
    float largest = 0;
    for (int i = 0; i < kLanes; ++i) largest = each[i] > largest ? each[i] : largest;
    const bool usable = largest > 1e-30f;
    const Lanes inverse = broadcast(usable ? 127.0f / largest : 0.0f);
    Lanes total = zero();
    for (int i = 0; i < 128; i += kLanes) {
      const Lanes values = i < count ? load_first(x + first + i, at_most(count - i, kLanes)) : zero();
      const Lanes q = round_even(mul(values, inverse));
      total = add(total, q);
      store_int8_first(tile_row + (i / 64) * 1024 + i % 64, q, kLanes);
    }
    scales[0] = usable ? largest / 127.0f : 0.0f;
    scales[16] = -128.0f * sum(total);
  }
}

void round_row(const float* x, int64_t cols, int blocks, uint16_t* tile_row) {
  for (int block = 0; block < blocks; ++block, tile_row += 512) {
    for (int i = 0; i < 32; i += kLanes) {
      const int64_t left = cols - 32 * static_cast<int64_t>(block) - i;
      const int count = left > kLanes ? kLanes : left > 0 ? static_cast<int>(left) : 0;
      const float* from = x + 32 * static_cast<int64_t>(block) + i;
      store_bf16_first(tile_row + i, count > 0 ? load_first(from, count) : zero(), kLanes);
    }
  }
}

void to_bf16(const float* x, int64_t count, uint16_t* out) {
  for (int64_t i = 0; i < count; i += kLanes) {
    const int some = count - i < kLanes ? static_cast<int>(count - i) : kLanes;
    store_bf16_first(out + i, load_first(x + i, some), some);
  }
}

}  // namespace
}  // namespace cinnabar::kernels::cpu
