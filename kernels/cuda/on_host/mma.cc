// The tensor cores' products by the documented layout of their registers: every lane shows what it holds, then computes
// its own four sums.
#include "kernels/cuda/mma.h"

#include <array>
#include <cstring>
#include <map>

#include "kernels/numeric.h"

namespace cinnabar::kernels::cuda {
namespace {

struct Operands {
  std::uint32_t a[32][4], b[32][2];
};

// Of the running warp.
Operands& shown() {
  static thread_local std::array<Operands, 32> warps;
  return warps[threadIdx.x / 32];
}

void show(const std::uint32_t (&a)[4], const std::uint32_t (&b)[2]) {
  Operands& operands = shown();
  std::memcpy(operands.a[threadIdx.x % 32], a, sizeof a);
  std::memcpy(operands.b[threadIdx.x % 32], b, sizeof b);
  on_host::wait_for_warp();
}

float value(std::uint32_t word, int i, float) { return bf16_to_f32(static_cast<std::uint16_t>(word >> (16 * i))); }
std::int32_t value(std::uint32_t word, int i, std::int32_t) { return static_cast<std::int8_t>(word >> (8 * i)); }

template <typename Sum>
void multiply_as(Sum (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2]) {
  constexpr int kValues = sizeof(Sum) == 4 && std::is_integral_v<Sum> ? 4 : 2;  // of a word
  show(a, b);
  const Operands& operands = shown();
  const int lane = static_cast<int>(threadIdx.x % 32);
  for (int i = 0; i < 4; ++i) {
    const int row = lane / 4 + 8 * (i / 2), column = 2 * (lane % 4) + i % 2;
    for (int word = 0; word < kStepBytes / 4; ++word) {
      const Place in_a = place_in_a(row, word), in_b = place_in_b(column, word);
      const std::uint32_t x = operands.a[in_a.lane][in_a.reg], y = operands.b[in_b.lane][in_b.reg];
      for (int j = 0; j < kValues; ++j) d[i] += value(x, j, Sum()) * value(y, j, Sum());
    }
  }
  on_host::wait_for_warp();
}

}  // namespace

void multiply(std::int32_t (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2]) { multiply_as(d, a, b); }
void multiply(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2]) { multiply_as(d, a, b); }

}  // namespace cinnabar::kernels::cuda
