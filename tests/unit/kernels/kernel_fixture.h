// What the kernel tests share: pseudo-random values, every level this machine can run, comparison of bits.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "kernels/cpu/backend.h"

namespace cinnabar::kernels::cpu::testing {

// Deterministic values in [-scale, scale).
inline std::vector<float> random_values(std::int64_t count, std::uint32_t seed, float scale = 1) {
  std::vector<float> values(count);
  std::uint64_t state = seed * 0x9E3779B97F4A7C15ull + 1;
  for (float& value : values) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    value = scale * (static_cast<float>(state >> 40) / 8388608.0f - 1.0f);
  }
  return values;
}

inline std::unique_ptr<Backend> backend(Isa isa, int threads) {
  auto made = make_backend({threads, isa});
  return made.ok() ? std::move(made.value()) : nullptr;
}

inline StoredMatrix stored(const std::vector<float>& values, std::int64_t rows, std::int64_t cols) {
  return {DType::f32, reinterpret_cast<const std::byte*>(values.data()), rows, cols};
}

inline Rows rows_of(std::vector<float>& values, std::int64_t cols) {
  return {values.data(), static_cast<std::int64_t>(values.size()) / cols, cols};
}

inline bool same_bits(const float* a, const float* b, std::int64_t count) {
  return count == 0 || std::memcmp(a, b, count * sizeof(float)) == 0;
}

}  // namespace cinnabar::kernels::cpu::testing
