// Attention on AMX tiles, lanes as in attention_lanes.h: S^T = K Q^T (a tile: 16 keys x 16 queries), softmax down the
// keys, O^T = V^T P^T (a tile: 16 dimensions x 16 queries, over all keys). Q and P are rounded to bf16; sums are f32 in
// a fixed order. Limit: the exponentials (one a key and query).
#include <immintrin.h>

#include "kernels/cpu/amx_tiles.h"
#include "kernels/cpu/attention_pairs.h"

namespace cinnabar::kernels::cpu {
namespace {

void score_keys(const AttentionTask& t, const uint16_t* q_pairs) {
  const int blocks = t.head_size / 32;
  const int64_t row_bytes = 2 * static_cast<int64_t>(t.head_size);
  for (int key = 0; key < t.key_count; key += 32) {
    const uint16_t* k = t.keys + static_cast<int64_t>(key) * t.head_size;
    _tile_zero(0);
    _tile_zero(1);
    for (int b = 0; b < blocks; ++b) {
      _tile_loadd(4, q_pairs + 512 * b, 64);
      _tile_loadd(2, k + 32 * b, row_bytes);
      _tile_loadd(3, k + 16 * t.head_size + 32 * b, row_bytes);
      _tile_dpbf16ps(0, 2, 4);
      _tile_dpbf16ps(1, 3, 4);
    }
    _tile_stored(0, t.scores + key * kLanes, 64);
    _tile_stored(1, t.scores + (key + 16) * kLanes, 64);
  }
}

// Dimensions [first, first + 16 Tiles) of the weighted sum of values.
template <int Tiles>
void weigh_values(const AttentionTask& t, int first, Lanes inverse) {
  const auto* pairs = reinterpret_cast<const unsigned char*>(t.scores);
  _tile_zero(0);
  _tile_zero(1);
  if constexpr (Tiles == 4) {
    _tile_zero(2);
    _tile_zero(3);
  }
  for (int key = 0; key < t.key_count; key += 32) {
    const uint16_t* v = t.values + static_cast<int64_t>(key) * t.head_size + 32 * first;
    _tile_loadd(4, pairs + 32 * key, 64);
    _tile_loadd(5, v, 64);
    _tile_loadd(6, v + 512, 64);
    _tile_dpbf16ps(0, 5, 4);
    _tile_dpbf16ps(1, 6, 4);
    if constexpr (Tiles == 4) {
      _tile_loadd(5, v + 1024, 64);
      _tile_loadd(6, v + 1536, 64);
      _tile_dpbf16ps(2, 5, 4);
      _tile_dpbf16ps(3, 6, 4);
    }
  }
  float* out = t.out + first * kLanes;
  _tile_stored(0, out, 64);
  _tile_stored(1, out + 256, 64);
  if constexpr (Tiles == 4) {
    _tile_stored(2, out + 512, 64);
    _tile_stored(3, out + 768, 64);
  }
  for (int e = 0; e < 16 * Tiles; ++e) store(out + e * kLanes, fma(load(out + e * kLanes), inverse, zero()));
}

}  // namespace

void attention_amx(const AttentionTask& t) {
  TileConfig config;
  for (int tile = 0; tile < 8; ++tile) {
    config.row_bytes[tile] = 64;
    config.rows[tile] = 16;
  }
  load_config(config);
  alignas(64) uint16_t q_pairs[kLargestHead * kLanes];
  pair_queries(t, q_pairs);
  score_keys(t, q_pairs);
  const Lanes inverse = soften(t);
  int first = 0;
  for (; first + 64 <= t.head_size; first += 64) weigh_values<4>(t, first, inverse);
  if (first < t.head_size) weigh_values<2>(t, first, inverse);
  _tile_release();
}

}  // namespace cinnabar::kernels::cpu
