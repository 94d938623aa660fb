// Attention by AVX-512 BF16 dot products, lanes as in attention_lanes.h: each instruction multiplies two neighbouring
// inner values of 16 queries with one pair of a key or value. Q and P are rounded to bf16; sums are f32 in a fixed
// order. Limit: the exponentials and one broadcast a product.
#include "kernels/cpu/attention_pairs.h"

namespace cinnabar::kernels::cpu {
namespace {

constexpr int kSums = 16;  // in registers at a time: keys of a score block, dimensions of a value block

// sum += pairs . (the pair at `pair`), in each lane. By hand: for the intrinsic, GCC 12 copies every sum.
CINNABAR_INLINE void add_products(__m512& sum, __m512i pairs, const uint16_t* pair) {
  asm("vdpbf16ps %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(pairs), "m"(*reinterpret_cast<const uint32_t(*)[1]>(pair)));
}

void score_keys(const AttentionTask& t, const uint16_t* q_pairs) {
  for (int key = 0; key < t.key_count; key += kSums) {
    const uint16_t* k = t.keys + static_cast<int64_t>(key) * t.head_size;
    __m512 sums[kSums];
#pragma GCC unroll 16
    for (int j = 0; j < kSums; ++j) sums[j] = _mm512_setzero_ps();
    for (int e = 0; e < t.head_size; e += 2) {
      const __m512i q = _mm512_load_si512(q_pairs + e * kLanes);
#pragma GCC unroll 16
      for (int j = 0; j < kSums; ++j) add_products(sums[j], q, k + j * t.head_size + e);
    }
#pragma GCC unroll 16
    for (int j = 0; j < kSums; ++j) _mm512_store_ps(t.scores + (key + j) * kLanes, sums[j]);
  }
}

// Dimensions [first, first + kSums) of the weighted sum of values.
void weigh_values(const AttentionTask& t, int first, Lanes inverse) {
  const auto* pairs = reinterpret_cast<const unsigned char*>(t.scores);
  __m512 sums[kSums];
#pragma GCC unroll 16
  for (int j = 0; j < kSums; ++j) sums[j] = _mm512_setzero_ps();
  for (int key = 0; key < t.key_count; key += 32) {
    const uint16_t* v = t.values + static_cast<int64_t>(key) * t.head_size + 32 * first;
    for (int pair = 0; pair < 16; ++pair) {
      const __m512i p = _mm512_load_si512(pairs + 32 * key + 64 * pair);
#pragma GCC unroll 16
      for (int j = 0; j < kSums; ++j) add_products(sums[j], p, v + 32 * j + 2 * pair);
    }
  }
#pragma GCC unroll 16
  for (int j = 0; j < kSums; ++j) store(t.out + (first + j) * kLanes, fma({sums[j]}, inverse, zero()));
}

}  // namespace

void attention_avx512_bf16(const AttentionTask& t) {
  alignas(64) uint16_t q_pairs[kLargestHead * kLanes];
  pair_queries(t, q_pairs);
  score_keys(t, q_pairs);
  const Lanes inverse = soften(t);
  for (int first = 0; first < t.head_size; first += kSums) weigh_values(t, first, inverse);
}

}  // namespace cinnabar::kernels::cpu
