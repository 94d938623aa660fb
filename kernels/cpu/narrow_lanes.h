// Narrow weights on their way to a product, included by lane_ops_*.cc: a strip's codes become the int8 weights that packing
// the expanded file would have given, bit for bit. A lane is a column. Limit: some ten operations for 16 weights.
//
// A block of 256 inputs of a strip: f32 largest[2][16] of each group of 128; f16 d[16], dmin[16]; then for codes of 6 bits
// i8 scales[16][16], else of the 6 bits of each scale and minimum the lowest four, u8 [8][16] with the minimum's above, and
// the others, u16 [16] of scales and [16] of minima, run 0 lowest; then u32 low[32][16], a word for eight inputs of a
// column, the first in its lowest four bits; then the bits above them, a word for 32 inputs (5 bits) or 16 (6 bits).
#pragma once

#include "kernels/cpu/lane_ops.h"
#include "kernels/cpu/lanes.h"
#include "kernels/cpu/packing.h"

namespace cinnabar::kernels::cpu {
namespace {

// Columns of a register of this level, of the strip's sixteen.
#if defined(__AVX512F__)
constexpr int kColumns = 16;
#elif defined(__AVX__)
constexpr int kColumns = 8;
#else
constexpr int kColumns = 4;
#endif
template <typename T>
struct Columns {
  typedef T Vector __attribute__((vector_size(kColumns * sizeof(T))));
};
using Floats = Columns<float>::Vector;
using Words = Columns<uint32_t>::Vector;
using Integers = Columns<int32_t>::Vector;

template <typename Vector>
CINNABAR_INLINE Vector bytes_of(const void* p) {
  Vector v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
template <typename To, typename From>
CINNABAR_INLINE To same_bits(From from) {
  return bytes_of<To>(&from);
}
template <typename T>
CINNABAR_INLINE Words words_at(const unsigned char* p) {
  return __builtin_convertvector(bytes_of<typename Columns<T>::Vector>(p), Words);
}

// f16 without branches: normal numbers by their bits, subnormal ones by their fraction, as no f32 here may be subnormal.
CINNABAR_INLINE Floats halves_at(const unsigned char* p) {
  const Words bits = words_at<uint16_t>(p);
  const Words exponent = (bits >> 10) & 31, fraction = bits & 1023;
  const Words normal = (exponent + 112) << 23 | fraction << 13;
  const Words small = same_bits<Words>(__builtin_convertvector(fraction, Floats) * (1.0f / 16777216.0f));
  return same_bits<Floats>((exponent != 0 ? normal : small) | (bits & 0x8000) << 16);
}

// A number below 2^22 in magnitude plus this has its nearest whole number, ties to even, in its lowest bits.
constexpr float kRounder = 12582912.0f;

// Code 4 quarter + i of each column. `low` is where the words of the first of them begin.
template <int kBits>
CINNABAR_INLINE Words codes_at(const unsigned char* low, int quarter, int i) {
  const Words codes = (bytes_of<Words>(low + 64 * (quarter / 2)) >> (4 * (4 * (quarter % 2) + i))) & 15;
  if constexpr (kBits == 4) {
    return codes;
  } else {
    constexpr int kHigh = kBits - 4;
    constexpr int kQuarters = 8 / kHigh;  // of a word
    const Words high = bytes_of<Words>(low + kNarrowLowBytes + 64 * (quarter / kQuarters));
    return codes | ((high >> (kHigh * (4 * (quarter % kQuarters) + i))) & ((1 << kHigh) - 1)) << 4;
  }
}

// Group `g` of columns [first, first + kColumns).
template <int kBits>
CINNABAR_INLINE void expand_group(const unsigned char* block, int g, int first, unsigned char* group) {
  constexpr int kRun = kBits == 6 ? 16 : 32;
  constexpr int kOffset = kBits == 6 ? 32 : 0;
  constexpr int kRuns = kGroupValues / kRun, kQuarters = kRun / 4;
  const Floats d = halves_at(block + 128 + 2 * first), dmin = halves_at(block + 160 + 2 * first);
  const Floats largest = bytes_of<Floats>(block + 64 * g + 4 * first);
  const Floats none = {};
  const Floats inverse = largest > 1e-30f ? 127.0f / largest : none;
  const Floats scale = largest > 1e-30f ? largest / 127.0f : none;
  __builtin_memcpy(group + 4 * first, &scale, sizeof scale);
  const unsigned char* scales = block + 192 + first;
  const unsigned char* low = block + narrow_head_bytes(kBits) + 4 * first;
  for (int run = kRuns * g; run < kRuns * (g + 1); ++run) {
    Floats step, least = none;
    if constexpr (kBits == 6) {
      step = d * __builtin_convertvector(bytes_of<Columns<int8_t>::Vector>(scales + 16 * run), Floats);
    } else {
      const Words both = words_at<uint8_t>(scales + 16 * run);
      const Words scale_top = words_at<uint16_t>(block + 320 + 2 * first) >> (2 * run) & 3;
      const Words min_top = words_at<uint16_t>(block + 352 + 2 * first) >> (2 * run) & 3;
      step = d * __builtin_convertvector((both & 15) | scale_top << 4, Floats);
      least = dmin * __builtin_convertvector(both >> 4 | min_top << 4, Floats);
    }
    for (int quarter = kQuarters * run; quarter < kQuarters * (run + 1); ++quarter) {
      Words four = {};
      for (int i = 0; i < 4; ++i) {
        const Integers code = same_bits<Integers>(codes_at<kBits>(low, quarter, i)) - kOffset;
        Floats value = step * __builtin_convertvector(code, Floats);
        if constexpr (kBits != 6) value = value - least;
        four |= (same_bits<Words>(value * inverse + kRounder) & 255) << (8 * i);
      }
      __builtin_memcpy(group + kScaleBytes + 64 * (quarter - 32 * g) + 4 * first, &four, sizeof four);
    }
  }
}

template <int kBits>
CINNABAR_INLINE void expand_block(const unsigned char* block, unsigned char* groups) {
  for (int g = 0; g < 2; ++g) {
    for (int first = 0; first < 16; first += kColumns)
      expand_group<kBits>(block, g, first, groups + g * kPairGroupBytes);
  }
}

[[maybe_unused]] void expand_narrow(const unsigned char* block, int bits, unsigned char* groups) {
  if (bits == 4) return expand_block<4>(block, groups);
  if (bits == 5) return expand_block<5>(block, groups);
  expand_block<6>(block, groups);
}

}  // namespace
}  // namespace cinnabar::kernels::cpu
