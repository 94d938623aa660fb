#include "engine/decoding/host_judge.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <vector>

#include "kernels/random.h"
#include "kernels/score_parts.h"

namespace cinnabar::engine {
namespace {

using kernels::kNever;

void forbid(std::span<float> logits, const std::uint64_t* allowed) {
  if (allowed == nullptr) return;
  for (std::size_t t = 0; t < logits.size(); ++t)
    if ((allowed[t / 64] >> (t % 64) & 1) == 0) logits[t] = kNever;
}

// The smallest logit that top_p and top_k leave; equal ones stay together. `falling`: the allowed ones, in falling order.
float lowest_left(std::span<const float> falling, const SamplingOptions& sampling) {
  const double temperature = sampling.temperature > 0 ? sampling.temperature : 1;
  const auto weight = [&](float logit) {
    return std::exp((static_cast<double>(logit) - falling.front()) / temperature);
  };
  std::size_t left = falling.size();
  if (sampling.top_p < 1) {
    double all = 0, sum = 0;
    for (const float logit : falling) all += weight(logit);
    // The one that passes the bound belongs to what is left.
    for (left = 0; left < falling.size() && sum <= sampling.top_p * all; ++left) sum += weight(falling[left]);
  }
  if (sampling.top_k > 0) left = std::min(left, static_cast<std::size_t>(sampling.top_k));
  return falling[std::max<std::size_t>(left, 1) - 1];
}

void filter(std::span<float> logits, const SamplingOptions& sampling) {
  if (!sampling.filters()) return;
  std::vector<float> falling;
  std::copy_if(logits.begin(), logits.end(), std::back_inserter(falling), [](float l) { return l > kNever; });
  if (falling.empty()) return;
  std::sort(falling.begin(), falling.end(), std::greater<>());
  const float least = lowest_left(falling, sampling);
  for (float& logit : logits)
    if (logit < least) logit = kNever;
}

}  // namespace

void guide(std::span<float> logits, std::span<const float> unguided, float w) {
  for (std::size_t t = 0; t < logits.size(); ++t) logits[t] = unguided[t] + (w + 1) * (logits[t] - unguided[t]);
}

kernels::Score judge_logits(std::span<float> logits, const kernels::ScoreRequest& request,
                            const SamplingOptions& sampling) {
  forbid(logits, request.allowed);
  filter(logits, sampling);
  kernels::ScorePart row;
  row.summary = {kNever, kNever, -1, 0, 0};
  for (std::size_t t = 0; t < logits.size(); ++t) {
    const float logit = logits[t];
    if (!(logit > kNever)) continue;
    const auto token = static_cast<std::int32_t>(t);
    if (row.summary.best < 0 || logit > row.summary.max) {
      row.summary.second = row.summary.max;
      row.summary.max = logit;
      row.summary.best = token;
    } else {
      row.summary.second = std::max(row.summary.second, logit);
    }
    if (request.temperature > 0) {
      const float key = logit / request.temperature +
                        kernels::gumbel_of(request.seed, request.step, request.position, static_cast<std::uint32_t>(t));
      if (row.sampled < 0 || key > row.sampled_key) {
        row.sampled = token;
        row.sampled_key = key;
        row.sampled_logit = logit;
      }
    }
    if (request.ranked) kernels::rank(row.ranked, {token, logit});
  }
  double sum = 0, weighted = 0;
  for (const float logit : logits) {
    if (!(logit > kNever)) continue;
    const double distance = static_cast<double>(logit) - row.summary.max, share = std::exp(distance);
    sum += share;
    weighted += distance * share;
  }
  row.summary.sum = static_cast<float>(sum);
  row.summary.weighted = static_cast<float>(weighted);
  kernels::ScoreRequest of_one_run = request;
  of_one_run.asked = -1;
  kernels::Score score = kernels::combine({&row, 1}, of_one_run);
  if (request.asked >= 0) score.asked_logit = logits[static_cast<std::size_t>(request.asked)];
  return score;
}

}  // namespace cinnabar::engine
