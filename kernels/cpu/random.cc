#include "kernels/cpu/random.h"

#include <cmath>

namespace cinnabar::kernels::cpu {
namespace {

// Natural logarithm for x > 0 from additions, products and divisions of doubles alone, so that another device can
// repeat it to the bit: x = m 2^e with m near 1, log m = 2 artanh((m - 1) / (m + 1)). Error below 1e-12.
double logarithm(double x) {
  int exponent = 0;
  double m = std::frexp(x, &exponent);
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

}  // namespace

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
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

float gumbel(std::uint32_t bits) {
  const double uniform = ((bits >> 8) + 0.5) / 16777216.0;
  return static_cast<float>(-logarithm(-logarithm(uniform)));
}

}  // namespace cinnabar::kernels::cpu
