// What the matrix products over lanes share: a lane is an output column, and every row is computed by itself in
// ascending order of the inner dimension, so its bits depend on nothing else.
#pragma once

#include "kernels/cpu/lane_ops.h"
#include "kernels/cpu/lanes.h"

namespace cinnabar::kernels::cpu {
namespace {

CINNABAR_INLINE int at_most(int a, int limit) { return a < limit ? a : limit; }

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
