// Cosines and sines of rotary embeddings, computed in double before rounding: the same angles on every device.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/backend.h"

namespace cinnabar::kernels {

struct RopeTable {
  RopeSpec spec{0, 0};  // without its divisors, which are:
  std::vector<float> divisors;
  std::int64_t positions = 0;
  std::vector<float> cosines, sines;  // [positions, R / 2]
};

// An empty table for `spec`, and whether a table is for it.
RopeTable rope_table_for(const RopeSpec& spec);
bool is_for(const RopeTable& table, const RopeSpec& spec);

// Makes the table hold at least `positions` positions.
void extend(RopeTable& table, std::int64_t positions);

}  // namespace cinnabar::kernels
