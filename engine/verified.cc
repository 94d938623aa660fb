#include "engine/verified.h"

#include <algorithm>
#include <cmath>

#include "engine/draft.h"
#include "engine/sampler.h"

namespace cinnabar::engine {
namespace {

constexpr int kLongestDraft = 12;  // beyond it hardly a token is accepted

}  // namespace

VerifiedDecoding::VerifiedDecoding(Network& network, KvCache& cache, std::vector<std::int32_t> pending, Answer answer,
                                   const DraftOptions& drafts, const SamplingOptions& sampling,
                                   std::vector<std::int32_t> former)
    : network_(network),
      cache_(cache),
      pending_(std::move(pending)),
      answer_(std::move(answer)),
      drafts_(drafts),
      sampling_(sampling),
      former_(std::move(former)) {
  assert(!pending_.empty());
  if (drafts_.limit < 0) drafts_.limit = std::clamp(network.backend().cheap_rows() - 1, 1, kLongestDraft);
}

// A former answer is the best guess (it was right until the user diverged), then the adapter, then repeated text.
void VerifiedDecoding::make_draft() {
  draft_ = draft_from_former(former_, answer_.tokens(), drafts_.shortest_match, drafts_.limit);
  if (draft_.empty()) draft_ = std::exchange(adapter_draft_, {});
  if (draft_.empty() && drafts_.lookup) {
    std::vector<std::int32_t> context(cache_.tokens().begin(), cache_.tokens().end());
    context.insert(context.end(), pending_.begin(), pending_.end());
    draft_ = draft_from_lookup(context, drafts_.shortest_match, drafts_.limit);
  }
  adapter_draft_.clear();
  const std::int64_t room = cache_.capacity() - cache_.size() - static_cast<std::int64_t>(pending_.size());
  const auto fits = static_cast<std::size_t>(std::clamp<std::int64_t>(room, 0, drafts_.limit));
  if (draft_.size() > fits) draft_.resize(fits);
}

void VerifiedDecoding::judge(Proposal& proposal, std::span<const std::int32_t> ahead, int slot, bool in_block) {
  proposal.segment.rows.back().judged = true;
  proposal.requests.push_back({.allowed = answer_.allowed_after(ahead, in_block),
                               .temperature = sampling_.temperature,
                               .seed = sampling_.seed,
                               .position = static_cast<std::uint32_t>(slot + 1)});
}

void VerifiedDecoding::propose(Proposal& proposal) {
  make_draft();
  proposal.segment.kv = &cache_.store();
  auto& rows = proposal.segment.rows;
  int slot = cache_.size();
  for (const std::int32_t token : pending_) {
    rows.push_back({.token = token, .slot = slot, .limit = slot + 1});
    ++slot;
  }
  judge(proposal, {}, slot - 1);
  for (std::size_t i = 0; i < draft_.size(); ++i, ++slot) {
    rows.push_back({.token = draft_[i], .slot = slot, .limit = slot + 1});
    judge(proposal, std::span(draft_).first(i + 1), slot);
  }
  const std::int64_t room = cache_.capacity() - slot;
  const int wanted = std::min(drafts_.mask_rows, network_.spec().block_length);
  mask_rows_ = uses_adapter() ? static_cast<int>(std::clamp<std::int64_t>(room, 0, wanted)) : 0;
  const int end = slot + mask_rows_;
  for (; slot < end; ++slot) {
    rows.push_back({.token = network_.spec().mask, .slot = slot, .limit = end, .in_block = true});
    judge(proposal, draft_, slot, true);
  }
}

void VerifiedDecoding::absorb(std::span<const kernels::Score> scores) {
  cache_.append(pending_);
  std::size_t agreed = 0;
  for (;; ++agreed) {
    const kernels::Score& score = scores[agreed];
    const Candidate candidate = to_candidate(0, score);
    answer_.append(score.token, candidate.probability, candidate.margin);
    pending_ = {score.token};
    if (answer_.complete() || agreed == draft_.size() || draft_[agreed] != score.token) break;
    cache_.append({&draft_[agreed], 1});
  }
  count(agreed);
  // The masks stood behind the whole draft: what they say holds only when all of it was accepted.
  if (agreed == draft_.size()) keep_adapter_draft(scores.last(static_cast<std::size_t>(mask_rows_)));
  draft_.clear();
}

void VerifiedDecoding::count(std::size_t agreed) {
  counts_.resize(std::max(counts_.size(), draft_.size()));
  for (std::size_t i = 0; i < draft_.size(); ++i) {
    ++counts_[i].drafted;
    counts_[i].accepted += i < agreed ? 1 : 0;
  }
}

// With logits shift 1 the first mask row stands for the token just decided and predicts the one after it.
void VerifiedDecoding::keep_adapter_draft(std::span<const kernels::Score> masks) {
  const std::size_t first = network_.spec().logits_shift == 1 ? 0 : 1;
  for (std::size_t i = first; i < masks.size(); ++i) {
    if (std::exp(masks[i].logit - masks[i].log_sum_exp) < drafts_.surest) break;
    if (masks[i].token == network_.spec().hole_end) break;  // what follows is for the base to say
    adapter_draft_.push_back(masks[i].token);
  }
}

std::vector<ShownToken> VerifiedDecoding::view() const {
  std::vector<ShownToken> shown;
  const auto tokens = answer_.tokens();
  for (std::size_t i = 0; i < tokens.size(); ++i) shown.push_back({tokens[i], answer_.probabilities()[i]});
  if (!answer_.complete()) {
    for (const std::int32_t token : adapter_draft_) shown.push_back({token, 0.0f});
    if (adapter_draft_.empty()) shown.push_back({-1, 0.0f});
  }
  return shown;
}

}  // namespace cinnabar::engine
