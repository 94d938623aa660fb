// What the matrix products over lanes share: a lane is an output column, and every row is computed by itself in
// ascending order of the inner dimension, so its bits depend on nothing else.
#pragma once

#include "kernels/cpu/lane_ops.h"
#include "kernels/cpu/lanes.h"

namespace cinnabar::kernels::cpu {
namespace {

CINNABAR_INLINE int at_most(int a, int limit) { return a < limit ? a : limit; }

// block.operator()<rows>(row), for rows of at most Most; nothing for 0.
template <int Most, typename Block>
CINNABAR_INLINE void last_block(int row, int rows, const Block& block) {
  if (rows == Most) {
    block.template operator()<Most>(row);
  } else if constexpr (Most > 1) {
    last_block<Most - 1>(row, rows, block);
  }
}

// block.operator()<R>(row) for blocks of Most rows and one of what is left, which cover [0, rows): a pass over the
// weights each. Blocks start at multiples of Most, a divisor of 16, so each lies in one tile of 16 rows.
template <int Most = kRowBlock, typename Block>
CINNABAR_INLINE void in_row_blocks(int rows, const Block& block) {
  int row = 0;
  for (; row + Most <= rows; row += Most) block.template operator()<Most>(row);
  if constexpr (Most > 1) last_block<Most - 1>(row, rows - row, block);
}

// out (+)= acc + bias for the first `count` columns.
CINNABAR_INLINE void finish(const ProductTask& t, int row, int column, Lanes acc) {
  const int count = at_most(t.columns - column, kLanes);
  float* out = t.out + row * t.out_stride + column;
  if (t.bias != nullptr) acc = add(acc, load_first(t.bias + column, count));
  if (t.add) acc = add(load_first(out, count), acc);
  store_first(out, acc, count);
}

}  // namespace
}  // namespace cinnabar::kernels::cpu
