#include "engine/decoding/length_search.h"

#include <algorithm>
#include <cmath>

namespace cinnabar::engine {

double usual_sureness(int length) { return std::exp(-1.77 * length) + 0.56 * std::exp(-0.06 * length) + 0.24; }

LengthSearch::LengthSearch(std::vector<int> most) : most_(std::move(most)) {
  constexpr int kMeanwhile = 8;
  for (const int longest : most_) lengths_.push_back(std::min(longest, kMeanwhile));
  begin_hole();
}

void LengthSearch::begin_hole() {
  tried_.clear();
  round_.clear();
  first_round_ = true;
  if (done()) return;
  for (int length = 2; length < most_[hole_]; length *= 2) round_.push_back(length);
  round_.push_back(most_[hole_]);
}

void LengthSearch::take(std::span<const float> sureness) {
  for (std::size_t i = 0; i < round_.size(); ++i)
    tried_.push_back({round_[i], static_cast<double>(sureness[i]) / usual_sureness(round_[i])});
  end_round();
}

void LengthSearch::end_round() {
  const auto best =
      std::max_element(tried_.begin(), tried_.end(), [](const Tried& a, const Tried& b) { return a.score < b.score; });
  lengths_[hole_] = best->length;  // of equal ones the shortest
  round_.clear();
  if (first_round_) {
    first_round_ = false;
    for (const int length : {best->length - best->length / 4, best->length + best->length / 2}) {
      const bool known =
          std::any_of(tried_.begin(), tried_.end(), [&](const Tried& tried) { return tried.length == length; });
      if (length >= 1 && length <= most_[hole_] && !known) round_.push_back(length);
    }
  }
  if (!round_.empty()) return;
  ++hole_;
  begin_hole();
}

LengthProbe::LengthProbe(Network& network, KvCache cache, Canvas canvas, std::size_t hole, Answer answer)
    : network_(network),
      cache_(std::move(cache)),
      canvas_(std::move(canvas)),
      hole_(hole),
      answer_(std::move(answer)) {}

void LengthProbe::propose(Proposal& proposal) {
  const int begin = canvas_.hole_begin(hole_), end = canvas_.hole_end(hole_);
  const std::uint64_t *first = answer_.allowed_after({}, true), *later = answer_.allowed_later();
  proposal.segment.kv = &cache_.store();
  for (int slot = 0; slot < canvas_.size(); ++slot) {
    const int predicted = slot + network_.spec().logits_shift;
    const bool judged = predicted >= begin && predicted < end;
    proposal.segment.rows.push_back(
        {.token = canvas_.token(slot), .slot = slot, .limit = canvas_.size(), .in_block = true, .judged = judged});
    if (judged) proposal.requests.push_back({.allowed = predicted == begin ? first : later});
  }
}

void LengthProbe::absorb(std::span<const kernels::Score> scores) {
  double sum = 0;
  for (const kernels::Score& score : scores) sum += std::exp(score.best_logit - score.log_sum_exp);
  sureness_ = scores.empty() ? 0.0f : static_cast<float>(sum / static_cast<double>(scores.size()));
  answer_.stop(StopReason::steps);
}

std::vector<ShownToken> LengthProbe::view() const {
  return std::vector<ShownToken>(canvas_.hole(hole_).size(), ShownToken{-1, 0});
}

}  // namespace cinnabar::engine
