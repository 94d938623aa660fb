// Sixteen f32 lanes: one AVX-512 register, two AVX2 registers, four NEON registers or a plain array, chosen by the flags
// of the including file. Everything has internal linkage, because each of lane_ops_*.cc compiles its own copy; files
// that include this must not use inline functions of other headers (the linker could keep the copy with the wider
// instructions).
//
// Every operation is one IEEE operation a lane (fma is fused everywhere), and sum() has one fixed tree, so code written
// over lanes gives the same bits on every level. max(a, b) and min(a, b) give b when either is NaN. Each level also has
// integer dot products, by registers: PartWeights (kPartLanes columns of four int8 weights), FourInputs (four int8
// inputs, for all lanes) and PartSums; kRowBlock rows and kStrips strips of 16 columns at a time are its register
// budget.
#pragma once

#define CINNABAR_INLINE [[maybe_unused, gnu::always_inline]] inline

namespace cinnabar::kernels::cpu {
namespace {

constexpr int kLanes = 16;

}  // namespace
}  // namespace cinnabar::kernels::cpu

#if defined(__AVX512F__)
#include "kernels/cpu/lanes_avx512.h"
#elif defined(__AVX2__)
#include "kernels/cpu/lanes_avx2.h"
#elif defined(CINNABAR_NEON)
#include "kernels/cpu/lanes_neon.h"
#else
#include "kernels/cpu/lanes_plain.h"
#endif

namespace cinnabar::kernels::cpu {
namespace {

// e^x with a relative error below 1.5 units in the last place for x in [-87, 88]; 0 below, e^88 above. Reduction by
// whole multiples of ln 2 (two-part constant), then a polynomial of degree 6 fitted to minimise the largest relative
// error.
CINNABAR_INLINE Lanes exponential(Lanes x) {
  const Lanes lowest = broadcast(-87.0f);
  const Lanes bounded = max(min(x, broadcast(88.0f)), lowest);
  const Lanes n = round_even(mul(bounded, broadcast(1.44269504f)));
  Lanes r = fma(n, broadcast(-0.693359375f), bounded);
  r = fma(n, broadcast(2.12194440e-4f), r);
  Lanes p = fma(broadcast(0.00138144672f), r, broadcast(0.00836878084f));
  p = fma(p, r, broadcast(0.0416683927f));
  p = fma(p, r, broadcast(0.166665196f));
  p = fma(p, r, broadcast(0.49999994f));
  p = add(fma(p, mul(r, r), r), broadcast(1.0f));
  return select_less(x, lowest, zero(), mul(p, power_of_two(n)));
}

}  // namespace
}  // namespace cinnabar::kernels::cpu
