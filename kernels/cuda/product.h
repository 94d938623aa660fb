// What the kernels of matrix products share: a lane's operands, rounding, and how a group's sum is added.
#pragma once

#include <bit>
#include <cmath>

#include "kernels/cuda/linear.h"
#include "kernels/cuda/mma.h"

namespace cinnabar::kernels::cuda {

inline constexpr int kWarps = 8;  // of a product's block; each takes one group at a time
inline constexpr unsigned kProductThreads = 32 * kWarps;

// What weights are, as kernels are compiled for it; Thin is that of a gated adapter's A beside them, which reads the same
// rounded rows.
struct OfInt8 {
  using Sum = std::int32_t;  // of a group
  using Thin = OfInt8;
};
struct OfBf16 {
  using Sum = float;
  using Thin = OfBf16;
};
struct OfInt4 {
  using Sum = float;
  using Thin = OfBf16;
};

// q = round(x 127 / largest) for each group of 128; a group that is (nearly) zero becomes zeros. As the CPU does it.
__device__ inline bool is_usable(float largest) { return largest > 1e-30f; }
__device__ inline float scale_of(float largest) { return is_usable(largest) ? largest / 127.0f : 0.0f; }
__device__ inline std::uint32_t four_int8(const float (&x)[4], float largest) {
  const float inverse = is_usable(largest) ? 127.0f / largest : 0.0f;
  std::uint32_t word = 0;
  for (int i = 0; i < 4; ++i) {
    const auto q = static_cast<std::int32_t>(rintf(x[i] * inverse));
    word |= (static_cast<std::uint32_t>(q) & 255u) << (8 * i);
  }
  return word;
}

__device__ inline std::uint32_t two_bf16(float a, float b) {
  return f32_to_bf16(a) | static_cast<std::uint32_t>(f32_to_bf16(b)) << 16;
}

// A group's exact sum (int8) or f32 sum (bf16) added to those before it.
__device__ inline float with_group(std::int32_t sum, float x_scale, float w_scale, float acc) {
  return fmaf(static_cast<float>(sum), x_scale * w_scale, acc);
}
__device__ inline float with_group(float sum, float, float, float acc) { return acc + sum; }

__device__ inline std::uint32_t bits_of(std::int32_t sum) { return static_cast<std::uint32_t>(sum); }
__device__ inline std::uint32_t bits_of(float sum) { return std::bit_cast<std::uint32_t>(sum); }
__device__ inline std::int32_t value_of(std::uint32_t bits, std::int32_t) { return static_cast<std::int32_t>(bits); }
__device__ inline float value_of(std::uint32_t bits, float) { return std::bit_cast<float>(bits); }

}  // namespace cinnabar::kernels::cuda
