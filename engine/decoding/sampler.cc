#include "engine/decoding/sampler.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>

#include "kernels/random.h"

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
    case Confidence::random:
      return 0;
  }
  return 0;
}

namespace {

constexpr std::uint32_t kPositions = ~std::uint32_t{0};  // the counter of draws of positions: no token's

// Indices by falling key; equal ones by rising position.
std::vector<int> ranked_by(std::span<const Candidate> candidates, const std::vector<float>& keys) {
  std::vector<int> order(candidates.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int a, int b) {
    const auto i = static_cast<std::size_t>(a), j = static_cast<std::size_t>(b);
    return keys[i] != keys[j] ? keys[i] > keys[j] : candidates[i].position < candidates[j].position;
  });
  return order;
}

// By falling confidence, or as chance ranks them: with Gumbel noise on confidence / temperature the first n are n draws
// without replacement from its softmax.
std::vector<int> ranked(std::span<const Candidate> candidates, Confidence kind, float temperature,
                        const Chance& chance) {
  std::vector<float> keys;
  for (const Candidate& candidate : candidates) {
    const auto noise = [&] {
      return kernels::gumbel_of(chance.seed, chance.step, static_cast<std::uint32_t>(candidate.position), kPositions);
    };
    const float sure = confidence(candidate, kind);
    if (kind == Confidence::random)
      keys.push_back(noise());
    else
      keys.push_back(temperature > 0 ? sure / temperature + noise() : sure);
  }
  return ranked_by(candidates, keys);
}

// How many of the ranked candidates the rule accepts.
std::size_t accepted(std::span<const Candidate> candidates, std::span<const int> order, const Choice& choice,
                     int count) {
  if (choice.rule == Rule::quota) return std::min(order.size(), static_cast<std::size_t>(std::max(count, 0)));
  const std::size_t least =
      choice.rule == Rule::threshold ? static_cast<std::size_t>(std::max(count, 1)) : std::size_t{1};
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
    if (!passes) break;
  }
  return std::min(order.size(), std::max(n, least));  // the surest one is always taken
}

void by_position(std::span<const Candidate> candidates, std::vector<int>& indices) {
  std::sort(indices.begin(), indices.end(), [&](int a, int b) {
    return candidates[static_cast<std::size_t>(a)].position < candidates[static_cast<std::size_t>(b)].position;
  });
}

}  // namespace

std::vector<int> choose(std::span<const Candidate> candidates, const Choice& choice, int count, const Chance& chance) {
  const Confidence kind = choice.rule == Rule::entropy_bound ? Confidence::negative_entropy : choice.confidence;
  std::vector<int> order = ranked(candidates, kind, choice.rule == Rule::quota ? choice.temperature : 0, chance);
  order.resize(accepted(candidates, order, choice, count));
  by_position(candidates, order);
  return order;
}

std::vector<int> keep_surest(std::span<const Candidate> candidates, Confidence kind, int keep) {
  std::vector<int> order = ranked(candidates, kind, 0, {});
  order.resize(std::min(order.size(), static_cast<std::size_t>(std::max(keep, 0))));
  by_position(candidates, order);
  return order;
}

Committed to_committed(int position, const kernels::Score& score) {
  return {position, std::exp(score.asked_logit - score.log_sum_exp)};
}

std::vector<int> least_sure(std::span<const Committed> committed, int count, float below) {
  std::vector<Committed> doubted;
  std::copy_if(committed.begin(), committed.end(), std::back_inserter(doubted),
               [&](const Committed& c) { return c.probability < below; });
  std::sort(doubted.begin(), doubted.end(), [](const Committed& a, const Committed& b) {
    return a.probability != b.probability ? a.probability < b.probability : a.position < b.position;
  });
  doubted.resize(std::min(doubted.size(), static_cast<std::size_t>(std::max(count, 0))));
  std::vector<int> positions;
  for (const Committed& c : doubted) positions.push_back(c.position);
  std::sort(positions.begin(), positions.end());
  return positions;
}

int widest_step(int masked) { return std::clamp(masked * 7 / 10, 5, 20); }

}  // namespace cinnabar::engine
