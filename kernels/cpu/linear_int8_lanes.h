// int8 products over lanes, included by lane_ops_*.cc: acc = fma(float(exact integer sum of a group), x scale * w
// scale, acc), groups ascending. The same bits on every level.
#pragma once

#include "kernels/cpu/packing.h"
#include "kernels/cpu/product_lanes.h"

namespace cinnabar::kernels::cpu {
namespace {

CINNABAR_INLINE int32_t word_at(const int8_t* p) {
  int32_t word;
  __builtin_memcpy(&word, p, 4);
  return word;
}

// One group of R rows by S strips of a pair, P parts of each from column `from` on; the R * S * P sums are registers
// while the group lasts. The first rows of a pass ask for the weights two groups on, a line a step: all at once they
// would block the loads of the products.
template <int R, int S, int P, bool first>
CINNABAR_INLINE void add_parts(const int8_t* x, const float* scales, const unsigned char* strip, int from, float* acc) {
  PartSums sums[R][S][P];
  for (int r = 0; r < R; ++r) {
    for (int s = 0; s < S; ++s) {
      for (int p = 0; p < P; ++p) sums[r][s][p] = first_sum(static_cast<int32_t>(scales[16 + r]));
    }
  }
  for (int k = 0; k < 32; ++k) {
    PartWeights w[S][P];
    for (int s = 0; s < S; ++s) {
      for (int p = 0; p < P; ++p)
        w[s][p] = load_weights(strip + kStripGroupBytes * s + kScaleBytes + 64 * k + 4 * (from + p * kPartLanes));
    }
    if constexpr (first) {
      for (int s = 0; s < S; ++s) __builtin_prefetch(strip + kPrefetchBytes + kStripGroupBytes * s + 64 * k, 0, 2);
    }
    const int8_t* four = x + (k / 16) * kTileBytes + (k % 16) * 4;
    for (int r = 0; r < R; ++r) {
      const FourInputs inputs = spread(word_at(four + 64 * r));
      for (int s = 0; s < S; ++s) {
        for (int p = 0; p < P; ++p) sums[r][s][p] = dot4(sums[r][s][p], w[s][p], inputs);
      }
    }
  }
  for (int s = 0; s < S; ++s) {
    for (int p = 0; p < P; ++p) {
      const int column = from + p * kPartLanes;
      const float* w_scales = reinterpret_cast<const float*>(strip + kStripGroupBytes * s) + column;
      for (int r = 0; r < R; ++r) add_scaled(acc + (r * S + s) * kLanes + column, sums[r][s][p], scales[r], w_scales);
    }
  }
}

// All columns at once where the sums of R rows fit the registers.
template <int R, int S, bool first>
CINNABAR_INLINE void add_group(const int8_t* x, const float* scales, const unsigned char* strip, float* acc) {
  constexpr int kParts = kLanes / kPartLanes;
  if constexpr (R < kRowBlock) {
    add_parts<R, S, kParts, first>(x, scales, strip, 0, acc);
  } else {
    add_parts<R, S, 1, first>(x, scales, strip, 0, acc);
    for (int p = 1; p < kParts; ++p) add_parts<R, S, 1, false>(x, scales, strip, p * kPartLanes, acc);
  }
}

// add.operator()<R, first>(x, scales, strip, acc) for a panel's rows, at most Most at a time: one group of R rows by S
// strips.
template <int S, int Most, typename AddGroup>
CINNABAR_INLINE void add_group_rows(const ProductTask& t, int g, int first, int rows, const unsigned char* strip,
                                    float* acc, const AddGroup& add) {
  in_row_blocks<Most>(rows, [&]<int R>(int row) {
    const int64_t group = static_cast<int64_t>((first + row) / 16) * t.depth + g;
    const int in_tile = row % 16;
    const int8_t* x = t.x8 + group * kGroupTileBytes + in_tile * 64;
    const float* scales = t.x_scales + group * 32 + in_tile;
    float* sums = acc + row * S * kLanes;
    first + row == 0 ? add.template operator()<R, true>(x, scales, strip, sums)
                     : add.template operator()<R, false>(x, scales, strip, sums);
  });
}

// Panels of rows pass by S strips group by group: a group's weights (4 KB) stay in the first-level cache while all rows
// of the panel use them, and so do the panel's f32 sums.
template <int S, int Most, typename AddGroup>
CINNABAR_INLINE void in_panels(const ProductTask& t, const AddGroup& add) {
  constexpr int kPanel = 64;
  alignas(64) float acc[kPanel * S * kLanes];
  for (int column = 0; column < t.columns; column += S * kLanes) {
    const unsigned char* first_strip = t.pairs + column / 32 * t.pair_bytes + column / kLanes % 2 * kStripGroupBytes;
    for (int first = 0; first < t.rows; first += kPanel) {
      const int rows = at_most(t.rows - first, kPanel);
      for (int i = 0; i < rows * S; ++i) store(acc + i * kLanes, zero());
      const unsigned char* strip = first_strip;
      for (int g = 0; g < t.depth; ++g, strip += kPairGroupBytes) {
        add_group_rows<S, Most>(t, g, first, rows, strip, acc, add);
      }
      for (int row = 0; row < rows; ++row) {
        for (int s = 0; s < S && column + s * kLanes < t.columns; ++s) {
          finish(t, first + row, column + s * kLanes, load(acc + (row * S + s) * kLanes));
        }
      }
    }
  }
}

void product_int8(const ProductTask& t) {
  in_panels<kStrips, kRowBlock>(
      t, []<int R, bool first>(const int8_t* x, const float* scales, const unsigned char* strip, float* acc) {
        add_group<R, kStrips, first>(x, scales, strip, acc);
      });
}

// q = round(x 127 / largest) for each group of 128; a group that is (nearly) zero becomes zeros.
[[maybe_unused]] void quantize_row(const float* x, int64_t cols, int groups, int8_t* tile_row, float* scales) {
  for (int g = 0; g < groups; ++g, tile_row += kGroupTileBytes, scales += 32) {
    const int64_t first = kGroupValues * static_cast<int64_t>(g);
    const int count = cols - first < kGroupValues ? static_cast<int>(cols - first) : kGroupValues;
    Lanes largest_lanes = zero();
    for (int i = 0; i < count; i += kLanes) {
      largest_lanes = max(absolute(load_first(x + first + i, at_most(count - i, kLanes))), largest_lanes);
    }
    float each[kLanes];
    store(each, largest_lanes);
    float largest = 0;
    for (int i = 0; i < kLanes; ++i) largest = each[i] > largest ? each[i] : largest;
    const bool usable = largest > 1e-30f;
    const Lanes inverse = broadcast(usable ? 127.0f / largest : 0.0f);
    Lanes total = zero();
    for (int i = 0; i < kGroupValues; i += kLanes) {
      const Lanes values = i < count ? load_first(x + first + i, at_most(count - i, kLanes)) : zero();
      const Lanes q = round_even(mul(values, inverse));
      total = add(total, q);
      store_int8_first(tile_row + (i / 64) * kTileBytes + i % 64, q, kLanes);
    }
    scales[0] = usable ? largest / 127.0f : 0.0f;
    scales[16] = -128.0f * sum(total);
  }
}

}  // namespace
}  // namespace cinnabar::kernels::cpu
