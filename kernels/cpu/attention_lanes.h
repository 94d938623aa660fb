// Attention over lanes (a lane is a query): scores of all keys to scratch, largest score, exponentials and their sum,
// then the weighted sum of values. Nothing crosses lanes, and masked slots contribute an exact zero, so a query's
// result depends neither on the other lanes nor on how many slots they see.
#pragma once

#include "kernels/cpu/lane_ops.h"
#include "kernels/cpu/lanes.h"

namespace cinnabar::kernels::cpu {
namespace {

#if defined(__AVX512F__)
constexpr int kAttentionBlock = 8;
#else
constexpr int kAttentionBlock = 4;
#endif
constexpr int kLargestHead = 256;

// Scores that a lane must not see become -infinity; stale or unwritten slots hold anything. Returns the lanes' maxima.
[[maybe_unused]] inline Lanes mask_and_max(const AttentionTask& t) {
  const Lanes never = broadcast(-__builtin_inff());
  const Lanes limits = load(t.limits);
  Lanes largest = never;
  int key = 0;
  for (; key < t.common; ++key) largest = max(load(t.scores + key * kLanes), largest);
  for (; key < t.key_count; ++key) {
    const Lanes at = broadcast(static_cast<float>(key));
    Lanes seen = select_less(at, limits, load(t.scores + key * kLanes), never);
    if (t.hidden != nullptr) {
      seen = select_less(at, load(t.hidden), seen, select_less(at, load(t.hidden + kLanes), never, seen));
    }
    store(t.scores + key * kLanes, seen);
    largest = max(seen, largest);
  }
  return largest;
}

CINNABAR_INLINE Lanes weight_of(Lanes score, Lanes largest, Lanes scale) {
  return exponential(mul(sub(score, largest), scale));
}

[[maybe_unused]] void attention(const AttentionTask& t) {
  alignas(64) float wide[32 * kLargestHead];
  const int size = t.head_size;
  for (int first = 0; first < t.key_count; first += 32) {
    for (int i = 0; i < 32 * size; i += kLanes)
      store(wide + i, load_bf16(t.keys + static_cast<int64_t>(first) * size + i));
    for (int key = 0; key < 32; key += kAttentionBlock) {
      Lanes acc[kAttentionBlock];
      for (int j = 0; j < kAttentionBlock; ++j) acc[j] = zero();
      for (int e = 0; e < size; ++e) {
        const Lanes q = load(t.q + e * kLanes);
        for (int j = 0; j < kAttentionBlock; ++j) acc[j] = fma(broadcast(wide[(key + j) * size + e]), q, acc[j]);
      }
      for (int j = 0; j < kAttentionBlock; ++j) store(t.scores + (first + key + j) * kLanes, acc[j]);
    }
  }
  const Lanes largest = mask_and_max(t);
  const Lanes scale = broadcast(t.scale);
  Lanes total = zero();
  for (int key = 0; key < t.key_count; ++key) {
    const Lanes p = weight_of(load(t.scores + key * kLanes), largest, scale);
    total = add(total, p);
    store(t.scores + key * kLanes, p);
  }
  for (int e = 0; e < size; ++e) store(t.out + e * kLanes, zero());
  for (int first = 0; first < t.key_count; first += 32) {
    for (int i = 0; i < 32 * size; i += kLanes)
      store(wide + i, load_bf16(t.values + static_cast<int64_t>(first) * size + i));
    for (int e = 0; e < size; e += kAttentionBlock) {
      Lanes acc[kAttentionBlock];
      for (int j = 0; j < kAttentionBlock; ++j) acc[j] = load(t.out + (e + j) * kLanes);
      for (int key = 0; key < 32; ++key) {
        const Lanes p = load(t.scores + (first + key) * kLanes);
        for (int j = 0; j < kAttentionBlock; ++j) acc[j] = fma(broadcast(wide[(e + j) * 32 + key]), p, acc[j]);
      }
      for (int j = 0; j < kAttentionBlock; ++j) store(t.out + (e + j) * kLanes, acc[j]);
    }
  }
  const Lanes inverse = div(broadcast(1.0f), total);
  // Adding zero makes -0 +0: a masked slot's product may have either sign.
  for (int e = 0; e < size; ++e) store(t.out + e * kLanes, fma(load(t.out + e * kLanes), inverse, zero()));
}

}  // namespace
}  // namespace cinnabar::kernels::cpu
