// Sums and maxima over a warp or a block, in an order that depends on the number of threads alone.
#pragma once

#include "kernels/cuda/device.h"

namespace cinnabar::kernels::cuda {

inline constexpr unsigned kEveryLane = 0xffffffffu;

// combine(a, b) of all lanes' values, commutative; every lane gets it.
template <typename T, typename Combine>
__device__ T reduce_warp(T value, const Combine& combine) {
  for (int distance = 16; distance > 0; distance /= 2)
    value = combine(value, __shfl_xor_sync(kEveryLane, value, distance));
  return value;
}

// The same for a block of kThreads threads; every thread gets it, and all have to come. T may be any struct of words.
template <unsigned kThreads, typename T, typename Combine>
__device__ T reduce_block(T value, const Combine& combine) {
  __shared__ T values[kThreads];
  __syncthreads();  // those who read an earlier call's result have done so
  values[threadIdx.x] = value;
  for (unsigned half = kThreads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half) values[threadIdx.x] = combine(values[threadIdx.x], values[threadIdx.x + half]);
  }
  __syncthreads();
  return values[0];
}

struct Add {
  __device__ float operator()(float a, float b) const { return a + b; }
};
struct Larger {
  __device__ float operator()(float a, float b) const { return a > b ? a : b; }
};

}  // namespace cinnabar::kernels::cuda
