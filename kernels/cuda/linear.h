// Weights packed for the tensor cores' products (mma.h), and the rounding of activations.
//
// The inner dimension is cut into groups of 128 bytes (kGroup int8 or 64 bf16 values, padded with zeros): four steps of
// mma.h. Weights lie in tiles of 16 outputs: [tiles][groups][4 steps][32 lanes][4 words], so that a warp streams 2 KB a
// group; int8 has scales [tiles][groups][16] f32. Activations lie in tiles of 8 rows: [tiles][groups][4][32][2 words]
// and scales [tiles][groups][8]. f32 weights are [K][N]. int4 has the groups of bf16, of 64 values, in [tiles][groups][32
// lanes][4 words], 512 bytes, with scales, and where there are some offsets, [tiles][groups][8][4] f16 (int4.h).
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

struct alignas(8) Int4Halves {
  std::uint16_t of[4];
};

class DeviceMatrix final : public Matrix {
 public:
  DeviceMatrix(std::int64_t rows, std::int64_t cols, Compute compute) : Matrix(rows, cols, compute) {}

  bool allocate(Device& device, bool with_offsets);
  std::int64_t bytes() const override { return data.bytes() + scales.bytes() + offsets.bytes(); }
  std::int64_t tiles() const { return (rows() + 15) / 16; }
  std::int64_t groups() const;  // 0: f32

  Memory data, scales, offsets;  // offsets: of int4
};

// The rows, on the device, become rows first, ... of a matrix of int4. StoredMatrix: of a format that has codes.
void pack_int4(Device& device, DeviceMatrix& matrix, std::int64_t first, Rows rows);
void pack_int4(Device& device, DeviceMatrix& matrix, std::int64_t first, const StoredMatrix& rows);

}  // namespace cinnabar::kernels::cuda
