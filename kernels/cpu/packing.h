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

}  // namespace cinnabar::kernels::cpu
