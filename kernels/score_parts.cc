#include "kernels/score_parts.h"

#include <algorithm>
#include <cmath>

namespace cinnabar::kernels {

Score combine(std::span<const ScorePart> parts, const ScoreRequest& request) {
  Score score;
  score.best_logit = score.second_logit = kNever;
  float sampled_key = kNever;
  for (std::size_t run = 0; run < parts.size(); ++run) {
    const ScorePart& part = parts[run];
    if (part.summary.best < 0) continue;
    if (part.summary.max > score.best_logit || score.best < 0) {
      score.second_logit = std::max(score.best_logit, part.summary.second);
      score.best_logit = part.summary.max;
      score.best = static_cast<std::int32_t>(static_cast<std::int64_t>(run) * kScoreRun) + part.summary.best;
    } else {
      score.second_logit = std::max(score.second_logit, part.summary.max);
    }
    if (part.sampled >= 0 && (score.token < 0 || part.sampled_key > sampled_key)) {
      sampled_key = part.sampled_key;
      score.token = part.sampled;
      score.logit = part.sampled_logit;
    }
  }
  if (request.ranked) {
    for (const ScorePart& part : parts) {
      for (const RankedToken& token : part.ranked) rank(score.ranked, token);
    }
  }
  if (request.temperature <= 0) {
    score.token = score.best;
    score.logit = score.best_logit;
  }
  if (request.asked >= 0) score.asked_logit = parts[static_cast<std::size_t>(request.asked / kScoreRun)].asked_logit;
  double sum = 0;
  double weighted = 0;
  for (const ScorePart& part : parts) {
    if (part.summary.best < 0) continue;
    const double distance = static_cast<double>(part.summary.max) - score.best_logit;
    const double share = std::exp(distance);
    sum += share * part.summary.sum;
    weighted += share * (part.summary.weighted + distance * part.summary.sum);
  }
  if (sum > 0) {
    score.log_sum_exp = static_cast<float>(score.best_logit + std::log(sum));
    score.entropy = static_cast<float>(std::max(0.0, std::log(sum) - weighted / sum));
  }
  return score;
}

}  // namespace cinnabar::kernels
