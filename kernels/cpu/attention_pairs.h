// What the attention forms share that round queries and weights to bf16 (AMX tiles, AVX-512 BF16 dot products): pairs
// of neighbours beside each other in a 32-bit word, and the softmax that turns scores into such pairs.
#pragma once

#include <immintrin.h>

#include "kernels/cpu/attention_lanes.h"

namespace cinnabar::kernels::cpu {
namespace {

// Lane i: bf16 of `even` in the lower half of word i, of `odd` in the upper one.
CINNABAR_INLINE __m512i bf16_pairs(Lanes even, Lanes odd) {
  const auto lower = reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(even.v));
  const auto upper = reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(odd.v));
  return _mm512_or_si512(_mm512_cvtepu16_epi32(lower), _mm512_slli_epi32(_mm512_cvtepu16_epi32(upper), 16));
}

// Queries [E][16] as pairs [E / 2][16][2].
CINNABAR_INLINE void pair_queries(const AttentionTask& t, uint16_t* q_pairs) {
  for (int e = 0; e < t.head_size; e += 2) {
    _mm512_store_si512(q_pairs + e * kLanes, bf16_pairs(load(t.q + e * kLanes), load(t.q + (e + 1) * kLanes)));
  }
}

// Replaces the scores by bf16 pairs of weights (two keys a row of 64 bytes, from the start of the scratch); returns
// 1 / sum.
[[maybe_unused]] inline Lanes soften(const AttentionTask& t) {
  const Lanes largest = mask_and_max(t);
  const Lanes scale = broadcast(t.scale);
  Lanes total = zero();
  auto* pairs = reinterpret_cast<unsigned char*>(t.scores);
  for (int key = 0; key < t.key_count; key += 2) {
    const Lanes even = weight_of(load(t.scores + key * kLanes), largest, scale);
    const Lanes odd = weight_of(load(t.scores + (key + 1) * kLanes), largest, scale);
    total = add(add(total, even), odd);
    _mm512_store_si512(pairs + 32 * key, bf16_pairs(even, odd));
  }
  return div(broadcast(1.0f), total);
}

}  // namespace
}  // namespace cinnabar::kernels::cpu
