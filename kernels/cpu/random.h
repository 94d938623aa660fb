// Gumbel noise that depends only on (seed, step, position, token): equal for every thread count, batch and device.
#pragma once

#include <array>
#include <cstdint>

namespace cinnabar::kernels::cpu {

// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

// -log(-log(u)) of a 24-bit uniform number strictly between 0 and 1. At most kGumbelHighest.
float gumbel(std::uint32_t bits);
inline constexpr float kGumbelHighest = 17.33f;

}  // namespace cinnabar::kernels::cpu
