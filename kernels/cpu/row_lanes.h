// Operations on one row at a time, over lanes: norm, rotation, activation, summary of logits.
#pragma once

#include "kernels/cpu/lane_ops.h"
#include "kernels/cpu/lanes.h"

namespace cinnabar::kernels::cpu {
namespace {

CINNABAR_INLINE int lanes_left(int64_t left) { return left > kLanes ? kLanes : static_cast<int>(left); }

void rms_norm(const float* x, const float* weight, float eps, int64_t count, float* out) {
  Lanes squares = zero();
  for (int64_t i = 0; i < count; i += kLanes) {
    const Lanes some = load_first(x + i, lanes_left(count - i));
    squares = fma(some, some, squares);
  }
  const float mean = sum(squares) / static_cast<float>(count);
  const Lanes inverse = broadcast(1.0f / __builtin_sqrtf(mean + eps));
  for (int64_t i = 0; i < count; i += kLanes) {
    const int some = lanes_left(count - i);
    store_first(out + i, mul(mul(load_first(x + i, some), inverse), load_first(weight + i, some)), some);
  }
}

void layer_norm(const float* x, const float* weight, const float* bias, float eps, int64_t count, float* out) {
  Lanes all = zero();
  for (int64_t i = 0; i < count; i += kLanes) all = add(all, load_first(x + i, lanes_left(count - i)));
  const Lanes mean = broadcast(sum(all) / static_cast<float>(count));
  Lanes squares = zero();
  for (int64_t i = 0; i < count; i += kLanes) {
    const int some = lanes_left(count - i);
    const Lanes distance = sub(load_first(x + i, some), mean);
    // Lanes behind the end would count the mean itself.
    const Lanes counted = some == kLanes ? distance : select_bits((1u << some) - 1u, distance, zero());
    squares = fma(counted, counted, squares);
  }
  const Lanes inverse = broadcast(1.0f / __builtin_sqrtf(sum(squares) / static_cast<float>(count) + eps));
  for (int64_t i = 0; i < count; i += kLanes) {
    const int some = lanes_left(count - i);
    const Lanes normed = mul(sub(load_first(x + i, some), mean), inverse);
    store_first(out + i, fma(normed, load_first(weight + i, some), load_first(bias + i, some)), some);
  }
}

void rotate(float* head, const float* cosines, const float* sines, int64_t half) {
  for (int64_t i = 0; i < half; i += kLanes) {
    const int some = lanes_left(half - i);
    const Lanes a = load_first(head + i, some);
    const Lanes b = load_first(head + half + i, some);
    const Lanes c = load_first(cosines + i, some);
    const Lanes s = load_first(sines + i, some);
    store_first(head + i, sub(mul(a, c), mul(b, s)), some);
    store_first(head + half + i, add(mul(b, c), mul(a, s)), some);
  }
}

void gated_silu(const float* gate, const float* up, int64_t count, float* out) {
  for (int64_t i = 0; i < count; i += kLanes) {
    const int some = lanes_left(count - i);
    const Lanes g = load_first(gate + i, some);
    const Lanes silu = div(g, add(broadcast(1.0f), exponential(sub(zero(), g))));
    store_first(out + i, mul(silu, load_first(up + i, some)), some);
  }
}

// x / 2 * (1 + tanh(y)) = x / (1 + exp(-2 y))
void gelu(const float* x, int64_t count, float* out) {
  const Lanes cubed = broadcast(-1.5957691216f * 0.044715f), plain = broadcast(-1.5957691216f);  // -2 sqrt(2 / pi)
  for (int64_t i = 0; i < count; i += kLanes) {
    const int some = lanes_left(count - i);
    const Lanes value = load_first(x + i, some);
    const Lanes power = mul(value, fma(mul(value, value), cubed, plain));
    store_first(out + i, div(value, add(broadcast(1.0f), exponential(power))), some);
  }
}

CINNABAR_INLINE Lanes allowed_logits(const float* logits, const uint64_t* allowed, int i, int count) {
  const int some = lanes_left(count - i);
  unsigned bits = some >= kLanes ? 0xffffu : (1u << some) - 1u;
  if (allowed != nullptr) bits &= static_cast<unsigned>(allowed[i / 64] >> (i % 64));
  return select_bits(bits & 0xffffu, load_first(logits + i, some), broadcast(-__builtin_inff()));
}

void summarize(const float* logits, const uint64_t* allowed, int count, LogitSummary* out) {
  const float never = -__builtin_inff();
  Lanes first = broadcast(never);
  Lanes second = first;
  for (int i = 0; i < count; i += kLanes) {
    const Lanes some = allowed_logits(logits, allowed, i, count);
    second = max(min(some, first), second);
    first = max(some, first);
  }
  float firsts[kLanes], seconds[kLanes];
  store(firsts, first);
  store(seconds, second);
  *out = {never, never, -1, 0, 0};
  for (int i = 0; i < kLanes; ++i) {
    const float candidates[2] = {firsts[i], seconds[i]};
    for (const float value : candidates) {
      if (value > out->max) {
        out->second = out->max;
        out->max = value;
      } else if (value > out->second) {
        out->second = value;
      }
    }
  }
  if (out->max == never) return;
  const Lanes largest = broadcast(out->max);
  Lanes total = zero();
  Lanes weighted = zero();
  for (int i = 0; i < count; i += kLanes) {
    const Lanes distance = sub(allowed_logits(logits, allowed, i, count), largest);
    const Lanes weight = exponential(distance);
    total = add(total, weight);
    weighted = fma(max(distance, broadcast(-87.0f)), weight, weighted);
  }
  out->sum = sum(total);
  out->weighted = sum(weighted);
  for (int i = 0; i < count; ++i) {
    const bool is_allowed = allowed == nullptr || (allowed[i / 64] >> (i % 64) & 1) != 0;
    if (is_allowed && logits[i] == out->max) {
      out->best = i;
      return;
    }
  }
}

}  // namespace
}  // namespace cinnabar::kernels::cpu
