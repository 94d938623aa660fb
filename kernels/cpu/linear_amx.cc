// Matrix products on AMX tiles. int8: for each pair of strips, for 64 rows, for each group: the group's four weight
// tiles stay in registers while the row tiles pass by; two tile products give a group's exact integer sums, which go
// through an L1 scratch to be scaled and added in f32 exactly as the lane form does. The scaling of one row tile
// overlaps the tile products of the next. bf16: 2 x 2 tiles that accumulate over all of K. Limit: bandwidth of the
// weights up to about 32 rows, then the scaling (two f32 operations for each 128 products).
#include <immintrin.h>

#include "kernels/cpu/amx_tiles.h"
#include "kernels/cpu/lane_ops.h"
#include "kernels/cpu/lanes.h"
#include "kernels/cpu/packing.h"

namespace cinnabar::kernels::cpu {
namespace {

CINNABAR_INLINE void finish(const ProductTask& t, int row, int column, Lanes acc) {
  const int left = t.columns - column;
  const int count = left < kLanes ? left : kLanes;
  if (count <= 0) return;
  float* out = t.out + row * t.out_stride + column;
  if (t.bias != nullptr) acc = add(acc, load_first(t.bias + column, count));
  if (t.add) acc = add(load_first(out, count), acc);
  store_first(out, acc, count);
}

constexpr int kBlockRows = 64;

struct Scratch {
  alignas(64) int32_t sums[2][2][256];  // [alternating][strip][row][column] of one row tile
  alignas(64) float acc[kBlockRows][2 * kLanes];
};

// Where the sums of one (group, row tile) lie and how they are scaled.
struct Pending {
  const float* x_scales;
  const unsigned char* group;
  float (*acc)[2 * kLanes];
  int rows;
};

CINNABAR_INLINE void scale_sums(const Pending& p, const int32_t (*sums)[256]) {
  const Lanes w0 = load(reinterpret_cast<const float*>(p.group));
  const Lanes w1 = load(reinterpret_cast<const float*>(p.group + kStripGroupBytes));
  for (int r = 0; r < p.rows; ++r) {
    const Lanes x = broadcast(p.x_scales[r]);
    const Lanes s0 = {_mm512_cvtepi32_ps(_mm512_load_si512(sums[0] + 16 * r))};
    const Lanes s1 = {_mm512_cvtepi32_ps(_mm512_load_si512(sums[1] + 16 * r))};
    store(p.acc[r], fma(s0, mul(x, w0), load(p.acc[r])));
    store(p.acc[r] + kLanes, fma(s1, mul(x, w1), load(p.acc[r] + kLanes)));
  }
}

void int8_block(const ProductTask& t, const unsigned char* pair, int first_row, int rows, Scratch& scratch) {
  for (int r = 0; r < rows; ++r) {
    store(scratch.acc[r], zero());
    store(scratch.acc[r] + kLanes, zero());
  }
  const int tiles = (rows + 15) / 16;
  const int64_t tile_bytes = static_cast<int64_t>(t.depth) * kGroupTileBytes;
  const int8_t* x = t.x8 + first_row / 16 * tile_bytes;
  const float* x_scales = t.x_scales + first_row / 16 * static_cast<int64_t>(t.depth) * 32;
  Pending pending = {nullptr, nullptr, nullptr, 0};
  int turn = 0;
  for (int g = 0; g < t.depth; ++g) {
    const unsigned char* group = pair + kPairGroupBytes * static_cast<int64_t>(g);
    if (first_row == 0) {
      for (int i = 0; i < kPairGroupBytes / 64; ++i) __builtin_prefetch(group + kPrefetchBytes + 64 * i, 0, 2);
    }
    _tile_loadd(2, group + kScaleBytes, 64);
    _tile_loadd(3, group + kScaleBytes + kTileBytes, 64);
    _tile_loadd(4, group + kStripGroupBytes + kScaleBytes, 64);
    _tile_loadd(5, group + kStripGroupBytes + kScaleBytes + kTileBytes, 64);
    for (int tile = 0; tile < tiles; ++tile, turn ^= 1) {
      const int8_t* a = x + tile * tile_bytes + kGroupTileBytes * static_cast<int64_t>(g);
      _tile_loadd(0, a, 64);
      _tile_loadd(1, a + kTileBytes, 64);
      _tile_zero(6);
      _tile_zero(7);
      _tile_dpbssd(6, 0, 2);
      _tile_dpbssd(7, 0, 4);
      _tile_dpbssd(6, 1, 3);
      _tile_dpbssd(7, 1, 5);
      _tile_stored(6, scratch.sums[turn][0], 64);
      _tile_stored(7, scratch.sums[turn][1], 64);
      if (pending.rows > 0) scale_sums(pending, scratch.sums[turn ^ 1]);
      const int left = rows - 16 * tile;
      pending = {x_scales + (static_cast<int64_t>(tile) * t.depth + g) * 32, group, scratch.acc + 16 * tile,
                 left < 16 ? left : 16};
    }
  }
  if (pending.rows > 0) scale_sums(pending, scratch.sums[turn ^ 1]);
}

}  // namespace

void product_int8_amx(const ProductTask& t) {
  TileConfig config;
  const auto rows_a = static_cast<uint8_t>(t.rows < 16 ? t.rows : 16);
  for (int tile = 0; tile < 8; ++tile) {
    config.row_bytes[tile] = 64;
    config.rows[tile] = tile >= 2 && tile <= 5 ? 16 : rows_a;
  }
  load_config(config);
  Scratch scratch;
  for (int column = 0; column < t.columns; column += 32) {
    const unsigned char* pair = t.pairs + column / 32 * t.pair_bytes;
    for (int row = 0; row < t.rows; row += kBlockRows) {
      const int rows = t.rows - row < kBlockRows ? t.rows - row : kBlockRows;
      int8_block(t, pair, row, rows, scratch);
      for (int r = 0; r < rows; ++r) {
        finish(t, row + r, column, load(scratch.acc[r]));
        finish(t, row + r, column + kLanes, load(scratch.acc[r] + kLanes));
      }
    }
  }
  _tile_release();
}

void product_bf16_amx(const ProductTask& t) {
  TileConfig config;
  for (int tile = 0; tile < 8; ++tile) {
    config.row_bytes[tile] = 64;
    config.rows[tile] = 16;
  }
  load_config(config);
  alignas(64) float sums[4][256];
  const int64_t tile_values = static_cast<int64_t>(t.depth) * 512;
  for (int column = 0; column < t.columns; column += 32) {
    const unsigned char* strip0 = t.pairs + column / 32 * t.pair_bytes;
    const unsigned char* strip1 = strip0 + t.pair_bytes / 2;
    for (int row = 0; row < t.rows; row += 32) {
      const bool both = row + 16 < t.rows;
      const uint16_t* x0 = t.x16 + row / 16 * tile_values;
      const uint16_t* x1 = both ? x0 + tile_values : x0;
      _tile_zero(0);
      _tile_zero(1);
      _tile_zero(2);
      _tile_zero(3);
      for (int64_t k = 0; k < t.depth; ++k) {
        if (row == 0) {
          for (int i = 0; i < 16; ++i) __builtin_prefetch(strip0 + kTileBytes * k + 8 * kTileBytes + 64 * i, 0, 2);
          for (int i = 0; i < 16; ++i) __builtin_prefetch(strip1 + kTileBytes * k + 8 * kTileBytes + 64 * i, 0, 2);
        }
        _tile_loadd(4, x0 + 512 * k, 64);
        _tile_loadd(6, strip0 + kTileBytes * k, 64);
        _tile_loadd(7, strip1 + kTileBytes * k, 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        if (both) {
          _tile_loadd(5, x1 + 512 * k, 64);
          _tile_dpbf16ps(2, 5, 6);
          _tile_dpbf16ps(3, 5, 7);
        }
      }
      _tile_stored(0, sums[0], 64);
      _tile_stored(1, sums[1], 64);
      _tile_stored(2, sums[2], 64);
      _tile_stored(3, sums[3], 64);
      for (int r = 0; r < 32 && row + r < t.rows; ++r) {
        finish(t, row + r, column, load(sums[r / 16 * 2] + r % 16 * 16));
        finish(t, row + r, column + kLanes, load(sums[r / 16 * 2 + 1] + r % 16 * 16));
      }
    }
  }
  _tile_release();
}

}  // namespace cinnabar::kernels::cpu
