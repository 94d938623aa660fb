// Cosines and sines of rotary embeddings, computed in double before rounding: the same angles on every device.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/backend.h"

namespace cinnabar::kernels {

struct RopeTable {
  RopeSpec spec{0, 0};
  std::int64_t positions = 0;
  std::vector<float> cosines, sines;  // [positions, E / 2]
};

// Makes the table hold at least `positions` positions.
void extend(RopeTable& table, std::int64_t positions);

}  // namespace cinnabar::kernels
