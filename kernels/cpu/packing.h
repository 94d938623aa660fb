// Sizes of packed weights and rounded activations, in bytes; the layouts are described at ProductTask (lane_ops.h).
// Included by files of every instruction-set level (lanes.h says what that forbids): constants only, no other header.
#pragma once

namespace cinnabar::kernels::cpu {

inline constexpr int kGroupValues = 128;                                // kernels::kGroup
inline constexpr int kTileBytes = 1024;                                 // 16 rows of 64 bytes, as AMX has them
inline constexpr int kGroupTileBytes = 16 * kGroupValues;               // int8: 16 rows of one group, two tiles
inline constexpr int kScaleBytes = 64;                                  // int8: 16 columns' scales
inline constexpr int kStripGroupBytes = kScaleBytes + kGroupTileBytes;  // int8: a group of a strip of 16 columns
inline constexpr int kPairGroupBytes = 2 * kStripGroupBytes;            // int8: the same of a pair of strips
inline constexpr int kPrefetchBytes = 2 * kPairGroupBytes;              // int8: how far ahead weights are asked for

// Narrow weights: blocks of 256 inputs of a strip of 16 columns, whose bytes narrow_lanes.h describes.
inline constexpr int kNarrowInputs = 256;
constexpr int narrow_head_bytes(int bits) { return bits == 6 ? 448 : 384; }  // what the columns' codes mean
inline constexpr int kNarrowLowBytes = kNarrowInputs * 16 / 2;               // the codes' low four bits
inline constexpr int kNarrowHighBytes = kNarrowInputs * 16 / 8;              // of each bit above them
constexpr int narrow_block_bytes(int bits) {
  return narrow_head_bytes(bits) + kNarrowLowBytes + (bits - 4) * kNarrowHighBytes;
}

}  // namespace cinnabar::kernels::cpu
