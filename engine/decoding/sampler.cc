#include "engine/decoding/sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace cinnabar::engine {

Candidate to_candidate(int position, const kernels::Score& score) {
  const auto probability = [&](float logit) { return std::exp(logit - score.log_sum_exp); };
  return {position, score.token, probability(score.logit),
          probability(score.best_logit) - probability(score.second_logit), score.entropy};
}

float confidence(const Candidate& candidate, Confidence kind) {
  switch (kind) {
    case Confidence::probability:
      return candidate.probability;
    case Confidence::margin:
      return candidate.margin;
    case Confidence::negative_entropy:
      return -candidate.entropy;
  }
  return 0;
}

namespace {

// Indices by falling confidence; equal ones by rising position.
std::vector<int> ranked(std::span<const Candidate> candidates, Confidence kind) {
  std::vector<int> order(candidates.size());
  std::iota(order.begin(), order.end(), 0);
  const auto at = [&](int i) -> const Candidate& { return candidates[static_cast<std::size_t>(i)]; };
  std::sort(order.begin(), order.end(), [&](int a, int b) {
    const float ca = confidence(at(a), kind), cb = confidence(at(b), kind);
    return ca != cb ? ca > cb : at(a).position < at(b).position;
  });
  return order;
}

// How many of the ranked candidates the rule accepts.
std::size_t accepted(std::span<const Candidate> candidates, std::span<const int> order, const Choice& choice,
                     int count) {
  if (choice.rule == Rule::quota) return std::min(order.size(), static_cast<std::size_t>(std::max(count, 0)));
  std::size_t n = 0;
  float entropy_sum = 0;
  for (; n < order.size(); ++n) {
    const Candidate& candidate = candidates[static_cast<std::size_t>(order[n])];
    const float sure = confidence(candidate, choice.confidence);
    entropy_sum += candidate.entropy;
    bool passes = true;
    if (choice.rule == Rule::threshold) passes = sure >= choice.value;
    if (choice.rule == Rule::factor) passes = sure >= 1.0f - choice.value / static_cast<float>(n + 2);
    if (choice.rule == Rule::entropy_bound) passes = entropy_sum <= choice.value;
    if (!passes && n > 0) break;
    if (!passes) {
      n = 1;
      break;
    }  // the surest one is always taken, and then it is the only one
  }
  return n;
}

void by_position(std::span<const Candidate> candidates, std::vector<int>& indices) {
  std::sort(indices.begin(), indices.end(), [&](int a, int b) {
    return candidates[static_cast<std::size_t>(a)].position < candidates[static_cast<std::size_t>(b)].position;
  });
}

}  // namespace

std::vector<int> choose(std::span<const Candidate> candidates, const Choice& choice, int count) {
  const Confidence kind = choice.rule == Rule::entropy_bound ? Confidence::negative_entropy : choice.confidence;
  std::vector<int> order = ranked(candidates, kind);
  order.resize(accepted(candidates, order, choice, count));
  by_position(candidates, order);
  return order;
}

std::vector<int> keep_surest(std::span<const Candidate> candidates, Confidence kind, int keep) {
  std::vector<int> order = ranked(candidates, kind);
  order.resize(std::min(order.size(), static_cast<std::size_t>(std::max(keep, 0))));
  by_position(candidates, order);
  return order;
}

}  // namespace cinnabar::engine
