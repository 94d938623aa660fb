// Products of weights of 4 bits (kernels/int4.h) for one warp, by the tensor cores' bf16 (mma.h): codes become whole numbers
// of bf16, exactly, and scales go on the f32 sums of a group, so that weights are not rounded again.
//
// For 16 outputs (a tile) and 64 inner values a lane reads one word for each of the four steps, and four halves of each
// kind: scales, and offsets where the matrix has some. Code (reg, half) of the word, for half `half` of register `reg` of A,
// lies at bit 4 * slot(reg) + 16 * half, slots of registers 0 to 3 being 0, 2, 1, 3: so what one output has of the word is
// two whole bytes, which those who pack write by themselves. Halves: [32 values 0, 1][output g, output g + 8].
//
// An offset multiplies the sum of its group's activations, which a product with ones makes.
#pragma once

#include <cmath>

#include "kernels/cuda/linear.h"
#include "kernels/cuda/mma.h"
#include "kernels/int4.h"

namespace cinnabar::kernels::cuda {

#if defined(__CUDACC__)

// Two numbers of bf16 less 136; exact for 128 to 143.
__device__ inline std::uint32_t less_136(std::uint32_t two) {
  std::uint32_t result;
  asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(result) : "r"(two), "r"(0x3f803f80u), "r"(0xc308c308u));
  return result;
}
__device__ inline float value_of_half(std::uint16_t half) {
  float value;
  asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(half));
  return value;
}

#else

inline std::uint32_t less_136(std::uint32_t two) {
  std::uint32_t result = 0;
  for (int shift = 0; shift < 32; shift += 16) {
    const float value = bf16_to_f32(static_cast<std::uint16_t>(two >> shift)) - 136.0f;
    result |= static_cast<std::uint32_t>(f32_to_bf16(value)) << shift;
  }
  return result;
}
inline float value_of_half(std::uint16_t half) { return f16_to_f32(half); }

#endif

// Where a matrix lies; offsets are null where it has none. All begin at its first tile and group.
struct Int4Weights {
  const LaneOfA* codes;                // [tiles][groups][32 lanes]: a word a step
  const Int4Halves *scales, *offsets;  // [tiles][groups][8]
};

// A step's codes as 16 outputs by 16 values: code - 8.
__device__ inline LaneOfA expand_codes(std::uint32_t codes) {
  constexpr std::uint32_t kCodes = 0x000f000fu, k128 = 0x43004300u;  // 128 + code: code is the fraction's last bits
  return {{less_136((codes & kCodes) | k128), less_136((codes >> 8 & kCodes) | k128),
           less_136((codes >> 4 & kCodes) | k128), less_136((codes >> 12 & kCodes) | k128)}};
}

// Adds to `sums` what a group of 64 gives: a tile's 16 outputs by T tiles of 8 rows. rows(t, step): a lane's part of those.
template <int T, typename OfRows>
__device__ void multiply_int4(const Int4Weights& w, std::int64_t tile_group, const OfRows& rows, float (&sums)[T][4]) {
  constexpr std::uint32_t kOnes[4] = {0x3f803f80u, 0x3f803f80u, 0x3f803f80u, 0x3f803f80u};
  const int lane = static_cast<int>(threadIdx.x % 32);
  const LaneOfA codes = w.codes[tile_group * 32 + lane];
  const Int4Halves scales = w.scales[tile_group * 8 + lane / 4];
  const Int4Halves offsets = w.offsets == nullptr ? Int4Halves{} : w.offsets[tile_group * 8 + lane / 4];
  CINNABAR_UNROLL
  for (int half = 0; half < 2; ++half) {
    float products[T][4] = {}, ones[T][4] = {};
    CINNABAR_UNROLL
    for (int step = 2 * half; step < 2 * half + 2; ++step) {
      const LaneOfA a = expand_codes(codes.words[step]);
      CINNABAR_UNROLL
      for (int t = 0; t < T; ++t) {
        const LaneOfB b = rows(t, step);
        multiply(products[t], a.words, b.words);
        if (w.offsets != nullptr) multiply(ones[t], kOnes, b.words);
      }
    }
    CINNABAR_UNROLL
    for (int i = 0; i < 4; ++i) {
      const float scale = value_of_half(scales.of[2 * half + i / 2]),
                  offset = value_of_half(offsets.of[2 * half + i / 2]);
      CINNABAR_UNROLL
      for (int t = 0; t < T; ++t) {
        sums[t][i] = fmaf(scale, products[t][i], sums[t][i]);
        if (w.offsets != nullptr) sums[t][i] = fmaf(offset, ones[t][i], sums[t][i]);
      }
    }
  }
}

}  // namespace cinnabar::kernels::cuda
