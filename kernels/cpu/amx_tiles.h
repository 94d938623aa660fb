// The shape of the AMX tile registers, included by *_amx.cc.
#pragma once

#include <stdint.h>

#include "kernels/cpu/lanes.h"

namespace cinnabar::kernels::cpu {
namespace {

// The operand of ldtilecfg; a tile with no rows is not used.
struct alignas(64) TileConfig {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};

// _tile_loadconfig of GCC 12 declares only the first 8 bytes as read, and the other stores get lost.
CINNABAR_INLINE void load_config(const TileConfig& config) { asm volatile("ldtilecfg %0" : : "m"(config)); }

}  // namespace
}  // namespace cinnabar::kernels::cpu
