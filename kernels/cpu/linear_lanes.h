// bf16 and f32 products over lanes, included by lane_ops_*.cc.
#pragma once

#include "kernels/cpu/product_lanes.h"

namespace cinnabar::kernels::cpu {
namespace {

// --- bf16: acc = fma(x_k, w_k, acc), k ascending

CINNABAR_INLINE float bf16_value(uint16_t bits) {
  const uint32_t word = static_cast<uint32_t>(bits) << 16;
  float value;
  __builtin_memcpy(&value, &word, 4);
  return value;
}

template <int R>
CINNABAR_INLINE void bf16_rows(const ProductTask& t, const unsigned char* strip, int row, int column) {
  const uint16_t* x = t.x16 + static_cast<int64_t>(row / 16) * t.depth * 512 + (row % 16) * 32;
  const uint16_t* w = reinterpret_cast<const uint16_t*>(strip);
  Lanes acc[R];
  for (int r = 0; r < R; ++r) acc[r] = zero();
  for (int block = 0; block < t.depth; ++block, x += 512) {
    for (int pair = 0; pair < 16; ++pair, w += 32) {
      const Lanes even = load_bf16_even(w);
      const Lanes odd = load_bf16_odd(w);
      for (int r = 0; r < R; ++r) {
        acc[r] = fma(broadcast(bf16_value(x[32 * r + 2 * pair])), even, acc[r]);
        acc[r] = fma(broadcast(bf16_value(x[32 * r + 2 * pair + 1])), odd, acc[r]);
      }
    }
  }
  for (int r = 0; r < R; ++r) finish(t, row + r, column, acc[r]);
}

// --- f32: the same on plain values

template <int R>
CINNABAR_INLINE void f32_rows(const ProductTask& t, const unsigned char* strip, int row, int column) {
  const float* x = t.x32 + row * t.x_stride;
  const float* w = reinterpret_cast<const float*>(strip);
  Lanes acc[R];
  for (int r = 0; r < R; ++r) acc[r] = zero();
  for (int k = 0; k < t.depth; ++k, w += kLanes) {
    const Lanes column_weights = load(w);
    for (int r = 0; r < R; ++r) acc[r] = fma(broadcast(x[r * t.x_stride + k]), column_weights, acc[r]);
  }
  for (int r = 0; r < R; ++r) finish(t, row + r, column, acc[r]);
}

enum class Kind { bf16, f32 };

template <Kind kind, int R>
void some_rows(const ProductTask& t, const unsigned char* strip, int row, int column) {
  if constexpr (kind == Kind::bf16) bf16_rows<R>(t, strip, row, column);
  if constexpr (kind == Kind::f32) f32_rows<R>(t, strip, row, column);
}

template <Kind kind>
void product(const ProductTask& t) {
  for (int column = 0; column < t.columns; column += kLanes) {
    const unsigned char* strip = t.pairs + column / 32 * t.pair_bytes + column / kLanes % 2 * (t.pair_bytes / 2);
    in_row_blocks(t.rows, [&]<int R>(int row) { some_rows<kind, R>(t, strip, row, column); });
  }
}

void round_row(const float* x, int64_t cols, int blocks, uint16_t* tile_row) {
  for (int block = 0; block < blocks; ++block, tile_row += 512) {
    for (int i = 0; i < 32; i += kLanes) {
      const int64_t left = cols - 32 * static_cast<int64_t>(block) - i;
      const int count = left > kLanes ? kLanes : left > 0 ? static_cast<int>(left) : 0;
      const float* from = x + 32 * static_cast<int64_t>(block) + i;
      store_bf16_first(tile_row + i, count > 0 ? load_first(from, count) : zero(), kLanes);
    }
  }
}

void to_bf16(const float* x, int64_t count, uint16_t* out) {
  for (int64_t i = 0; i < count; i += kLanes) {
    const int some = count - i < kLanes ? static_cast<int>(count - i) : kLanes;
    store_bf16_first(out + i, load_first(x + i, some), some);
  }
}

}  // namespace
}  // namespace cinnabar::kernels::cpu
