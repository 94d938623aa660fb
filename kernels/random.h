// Gumbel noise that depends only on (seed, step, position, token): equal for every thread count, batch and device. All
// of it is constexpr, additions, products and divisions alone, so that a GPU runs the same code and gets the same bits.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace cinnabar::kernels {

// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
constexpr std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<std::uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(b),
               static_cast<std::uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(a)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

// Natural logarithm of a normal x > 0: x = m 2^e with m near 1, log m = 2 artanh((m - 1) / (m + 1)). Error below 1e-12.
constexpr double logarithm(double x) {
  const auto bits = std::bit_cast<std::uint64_t>(x);
  int exponent = static_cast<int>(bits >> 52) - 1022;
  double m = std::bit_cast<double>((bits & ((std::uint64_t{1} << 52) - 1)) | (std::uint64_t{1022} << 52));  // [0.5, 1)
  if (m < 0.70710678118654752) {
    m *= 2;
    --exponent;
  }
  const double s = (m - 1) / (m + 1);
  const double square = s * s;
  double series = 0;
  for (int n = 15; n >= 1; n -= 2) series = series * square + 1.0 / n;
  return 2 * s * series + exponent * 0.69314718055994531;
}

// -log(-log(u)) of a 24-bit uniform number strictly between 0 and 1. At most kGumbelHighest.
constexpr float gumbel(std::uint32_t bits) {
  const double uniform = ((bits >> 8) + 0.5) / 16777216.0;
  return static_cast<float>(-logarithm(-logarithm(uniform)));
}
inline constexpr float kGumbelHighest = 17.33f;

// The noise of one token under one request's counters.
constexpr float gumbel_of(std::uint64_t seed, std::uint32_t step, std::uint32_t position, std::uint32_t token) {
  const std::array<std::uint32_t, 2> key = {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
  return gumbel(philox({token / 4, position, step, 0}, key)[token % 4]);
}

}  // namespace cinnabar::kernels
