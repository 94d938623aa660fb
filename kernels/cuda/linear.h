// Weights packed for the tensor cores' products (mma.h), and the rounding of activations.
//
// The inner dimension is cut into groups of 128 bytes (kGroup int8 or 64 bf16 values, padded with zeros): four steps of
// mma.h. Weights lie in tiles of 16 outputs: [tiles][groups][4 steps][32 lanes][4 words], so that a warp streams 2 KB a
// group; int8 has scales [tiles][groups][16] f32. Activations lie in tiles of 8 rows: [tiles][groups][4][32][2 words]
// and scales [tiles][groups][8]. f32 weights are [K][N].
#pragma once

#include "kernels/cuda/context.h"

namespace cinnabar::kernels::cuda {

inline constexpr std::int64_t kGroupBytes = 128, kGroupWords = kGroupBytes / 4;

struct alignas(16) LaneOfA {
  std::uint32_t words[4];
};
struct alignas(8) LaneOfB {
  std::uint32_t words[2];
};

class DeviceMatrix final : public Matrix {
 public:
  DeviceMatrix(std::int64_t rows, std::int64_t cols, Compute compute) : Matrix(rows, cols, compute) {}

  bool allocate(Device& device);
  std::int64_t bytes() const override { return data.bytes() + scales.bytes(); }
  std::int64_t tiles() const { return (rows() + 15) / 16; }
  std::int64_t groups() const;  // 0: f32

  Memory data, scales;
};

}  // namespace cinnabar::kernels::cuda
