#include "engine/forward/router.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace cinnabar::engine {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();
constexpr float kLeastSum = 1e-20f;  // added to a sum that is divided by, as in the models' own code

std::vector<float> scores_of(const Experts& experts, std::span<const float> logits) {
  std::vector<float> scores(logits.begin(), logits.end());
  if (experts.sigmoid) {
    for (float& score : scores) score = 1 / (1 + std::exp(-score));
    return scores;
  }
  const float largest = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (float& score : scores) sum += score = std::exp(score - largest);
  for (float& score : scores) score = static_cast<float>(score / sum);
  return scores;
}

// Indices of the `count` largest, the first of equal ones first.
std::vector<std::int32_t> largest_of(std::span<const float> values, int count) {
  std::vector<std::int32_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  const auto larger = [&](std::int32_t a, std::int32_t b) {
    const float x = values[static_cast<std::size_t>(a)], y = values[static_cast<std::size_t>(b)];
    return x != y ? x > y : a < b;
  };
  std::partial_sort(order.begin(), order.begin() + count, order.end(), larger);
  order.resize(static_cast<std::size_t>(count));
  return order;
}

// What the others than the best groups' experts are chosen by becomes kNever.
void close_groups(const Experts& experts, std::vector<float>& ranks) {
  if (experts.groups_used >= experts.groups) return;
  const auto size = static_cast<std::size_t>(experts.count / experts.groups);
  std::vector<float> best;
  for (std::size_t first = 0; first < ranks.size(); first += size) {
    const auto group = std::span(ranks).subspan(first, size);
    float sum = 0;
    for (const std::int32_t index : largest_of(group, static_cast<int>(std::min<std::size_t>(2, size))))
      sum += group[static_cast<std::size_t>(index)];
    best.push_back(sum);
  }
  std::vector<bool> open(best.size());
  for (const std::int32_t group : largest_of(best, experts.groups_used)) open[static_cast<std::size_t>(group)] = true;
  for (std::size_t i = 0; i < ranks.size(); ++i)
    if (!open[i / size]) ranks[i] = kNever;
}

}  // namespace

std::vector<ChosenExpert> choose_experts(const Experts& experts, std::span<const float> logits,
                                         std::span<const float> bias) {
  const std::vector<float> scores = scores_of(experts, logits);
  std::vector<float> ranks = scores;
  for (std::size_t i = 0; i < bias.size(); ++i) ranks[i] += bias[i];
  close_groups(experts, ranks);
  std::vector<std::int32_t> chosen = largest_of(ranks, experts.used);
  float sum = kLeastSum;
  for (const std::int32_t expert : chosen) sum += scores[static_cast<std::size_t>(expert)];
  const float scale = experts.renormalise ? experts.scale / sum : experts.scale;
  std::sort(chosen.begin(), chosen.end());
  std::vector<ChosenExpert> out;
  for (const std::int32_t expert : chosen) out.push_back({expert, scores[static_cast<std::size_t>(expert)] * scale});
  return out;
}

}  // namespace cinnabar::engine
