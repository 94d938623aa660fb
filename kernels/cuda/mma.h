// Products of the tensor cores for one warp: D[16, 8] += A[16, K] B[K, 8], where K is 32 bytes of either operand: 32
// int8 or 16 bf16 values. A lane's registers hold bytes of the operands in one pattern for both types (PTX ISA, "Matrix
// fragments for mma.m16n8k32" and "mma.m16n8k16"); with g = lane / 4 and t = lane % 4:
//
//   A  a[i]: row g + 8 (i % 2), bytes 16 (i / 2) + 4 t and the next three     B  b[i]: column g, bytes 16 i + 4 t and
//   ... D  d[i]: row g + 8 (i / 2), column 2 t + i % 2
//
// All 32 lanes take part. int8 sums are exact; bf16 products are summed in f32, in an order that the hardware chooses
// and that depends on nothing but the operands of one element.
#pragma once

#include <cstdint>

#include "kernels/cuda/device.h"

namespace cinnabar::kernels::cuda {

inline constexpr int kStepBytes = 32;  // of the inner dimension, a product
inline constexpr int kTileRows = 16;   // of A
inline constexpr int kTileColumns = 8;

// Where a 4-byte word of an operand's row lies: which register of which lane of which step. `word` counts along the
// inner dimension.
struct Place {
  int step, lane, reg;
};
__device__ inline Place place_in_a(int row, int word) {
  return {word / 8, row % 8 * 4 + word % 4, row / 8 % 2 + word % 8 / 4 * 2};
}
__device__ inline Place place_in_b(int column, int word) { return {word / 8, column % 8 * 4 + word % 4, word % 8 / 4}; }

#if defined(__CUDACC__)

__device__ inline void multiply(std::int32_t (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
__device__ inline void multiply(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, "
      "%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

#else

void multiply(std::int32_t (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2]);
void multiply(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2]);

#endif

}  // namespace cinnabar::kernels::cuda
