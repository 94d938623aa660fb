// Packing of narrow weights: matrices in K formats whose codes keep their bits (narrow_lanes.h has the layout).
#pragma once

#include <span>

#include "kernels/tensors.h"

namespace cinnabar::kernels::cpu {

// Bits of the codes of rows [first, first + 32) of the stacked parts, as far as there are so many; 8 where they have not
// all the same of 4, 5 and 6.
int narrow_bits(std::span<const StoredMatrix> parts, std::int64_t first);

// Where the row of the stacked parts lies.
struct StoredRow {
  DType dtype;
  const std::byte* data;
};
StoredRow stored_row(std::span<const StoredMatrix> parts, std::int64_t row);

// A strip: rows [first, first + 16) of `cols` inputs, as far as there are so many. Its blocks are to lie `stride` bytes
// apart. `expanded` [16, cols] are the rows' values.
void pack_narrow(std::span<const StoredMatrix> parts, std::int64_t first, const float* expanded, std::byte* strip,
                 std::int64_t stride);

}  // namespace cinnabar::kernels::cpu
