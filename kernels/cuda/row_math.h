// Formulas of rows that several kernels share, so that their bits are the same wherever they are computed.
#pragma once

#include <cmath>

#include "kernels/cuda/reduce.h"

namespace cinnabar::kernels::cuda {

// 1 / sqrt(mean(x^2) + eps) of a row, by one warp; every lane gets it.
__device__ inline float inverse_norm(const float* x, int size, float eps) {
  float squares = 0;
  for (int i = static_cast<int>(threadIdx.x % 32); i < size; i += 32) squares = fmaf(x[i], x[i], squares);
  return 1.0f / sqrtf(reduce_warp(squares, Add()) / static_cast<float>(size) + eps);
}

__device__ inline float gated(float gate, float up) { return gate / (1.0f + expf(-gate)) * up; }

struct Turned {
  float first, second;
};
__device__ inline Turned turned(float first, float second, float cosine, float sine) {
  return {first * cosine - second * sine, second * cosine + first * sine};
}

}  // namespace cinnabar::kernels::cuda
