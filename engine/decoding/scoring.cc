#include "engine/decoding/scoring.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace cinnabar::engine {

TextScoring::TextScoring(KvCache& cache, std::vector<std::int32_t> pending, std::vector<std::int32_t> text,
                         Answer answer)
    : cache_(cache), pending_(std::move(pending)), text_(std::move(text)), answer_(std::move(answer)) {
  assert(!pending_.empty() && !text_.empty());
}

void TextScoring::propose(Proposal& proposal) {
  proposal.segment.kv = &cache_.store();
  auto& rows = proposal.segment.rows;
  under_way_ = std::min(text_.size() - scored_, kScoredRows);
  int slot = cache_.size();
  const auto add = [&](std::int32_t token) {
    rows.push_back({.token = token, .slot = slot, .limit = slot + 1});
    ++slot;
  };
  const auto judge = [&](std::size_t asked) {
    rows.back().judged = true;
    const auto before = std::span(text_).subspan(scored_, asked - scored_);
    proposal.requests.push_back({.allowed = answer_.allowed_after(before), .asked = text_[asked]});
  };
  for (const std::int32_t token : pending_) add(token);
  judge(scored_);
  for (std::size_t i = scored_; i + 1 < scored_ + under_way_; ++i) {
    add(text_[i]);
    judge(i + 1);
  }
}

void TextScoring::absorb(std::span<const kernels::Score> scores) {
  cache_.append(pending_);
  cache_.append(std::span(text_).subspan(scored_, under_way_ - 1));
  for (std::size_t i = 0; i < under_way_; ++i) {
    const kernels::Score& score = scores[i];
    const float best = std::exp(score.best_logit - score.log_sum_exp);
    const float probability = std::exp(score.asked_logit - score.log_sum_exp);
    answer_.append(text_[scored_ + i], probability, probability - best);
  }
  scored_ += under_way_;
  pending_ = {text_[scored_ - 1]};
  if (scored_ == text_.size()) answer_.stop(StopReason::length);
}

std::vector<ShownToken> TextScoring::view() const {
  std::vector<ShownToken> shown;
  for (std::size_t i = 0; i < answer_.tokens().size(); ++i)
    shown.push_back({answer_.tokens()[i], answer_.probabilities()[i]});
  return shown;
}

}  // namespace cinnabar::engine
