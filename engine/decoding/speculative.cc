#include "engine/decoding/speculative.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/decoding/draft.h"
#include "engine/decoding/sampler.h"

namespace cinnabar::engine {
namespace {

constexpr int kLongestDraft = 12;  // beyond it hardly a token is accepted

// How often a drafted token is right where those before it were.
constexpr float kFormerSure = 0.9f;
constexpr float kLookupSure = 0.7f;

// A row has to bring as many tokens as this over Backend::cheap_rows: as many as decoding brings elsewhere in the row's
// time, which is more than the row's share of a forward, for a forward brings two to three tokens. Tried by the clock
// (bench/README.md): 1.25 to 2.5, which hardly differ.
constexpr float kRowCost = 1.6f;

}  // namespace

SpeculativeDecoding::SpeculativeDecoding(Network& network, KvCache& cache, std::vector<std::int32_t> pending,
                                         Answer answer, const DraftOptions& drafts, const SamplingOptions& sampling,
                                         std::vector<std::int32_t> former, const Acceptance& acceptance)
    : network_(network),
      cache_(cache),
      pending_(std::move(pending)),
      answer_(std::move(answer)),
      drafts_(drafts),
      sampling_(sampling),
      acceptance_(acceptance),
      former_(std::move(former)) {
  assert(!pending_.empty());
  const int cheap = std::max(network.backend().cheap_rows() - 1, 1);
  if (drafts_.limit < 0) drafts_.limit = std::min(cheap, kLongestDraft);
  if (drafts_.mask_rows < 0) drafts_.mask_rows = 2 * cheap;
  if (drafts_.block <= 0) drafts_.block = network.spec().block_length;
}

// A former answer is the best guess: it was right until the user diverged.
Draft SpeculativeDecoding::make_draft() {
  Draft masks = std::exchange(mask_draft_, {});
  std::vector<std::int32_t> tokens =
      draft_from_former(former_, answer_.tokens(), drafts_.shortest_match, drafts_.limit);
  if (!tokens.empty()) return uniform_draft(std::move(tokens), kFormerSure);
  if (drafts_.lookup) {
    std::vector<std::int32_t> context(cache_.tokens().begin(), cache_.tokens().end());
    context.insert(context.end(), pending_.begin(), pending_.end());
    tokens = draft_from_lookup(context, drafts_.shortest_match, drafts_.limit);
  }
  Draft draft = more_confident(masks, uniform_draft(std::move(tokens), kLookupSure));
  draft.shorten(static_cast<std::size_t>(drafts_.limit));
  return draft;
}

// What of the draft runs with the next forward, and the mask rows beside it.
void SpeculativeDecoding::plan_rows() {
  Draft draft = make_draft();
  const auto room = static_cast<int>(std::clamp<std::int64_t>(
      cache_.capacity() - cache_.size() - static_cast<std::int64_t>(pending_.size()), 0, Network::max_rows()));
  if (uses_adapter()) {
    const int rows = std::min(room, std::max(drafts_.mask_rows, drafts_.limit));
    const float cost = kRowCost / static_cast<float>(network_.backend().cheap_rows());
    const DraftPlan plan = divide_rows(draft.probabilities, rows, cost, drafts_.block);
    draft.shorten(static_cast<std::size_t>(plan.tokens));
    masks_ = plan.masks;
  } else {
    draft.shorten(static_cast<std::size_t>(room));
    masks_.clear();
  }
  draft_ = std::move(draft.tokens);
}

void SpeculativeDecoding::judge(Proposal& proposal, const std::uint64_t* allowed, int position, std::int32_t asked) {
  proposal.segment.rows.back().judged = true;
  proposal.requests.push_back({.allowed = allowed,
                               .temperature = sampling_.temperature,
                               .seed = sampling_.seed,
                               .position = static_cast<std::uint32_t>(position + 1),
                               .asked = asked});
}

// The base on what follows `ahead` draft tokens, and on the next one of them.
void SpeculativeDecoding::judge_clean(Proposal& proposal, std::size_t ahead, int position) {
  const bool asks = acceptance_.accept_ratio < 1 && ahead < draft_.size();
  judge(proposal, answer_.allowed_after(std::span(draft_).first(ahead)), position, asks ? draft_[ahead] : -1);
}

void SpeculativeDecoding::propose(Proposal& proposal) {
  plan_rows();
  proposal.segment.kv = &cache_.store();
  auto& rows = proposal.segment.rows;
  int slot = cache_.size();
  for (const std::int32_t token : pending_) {
    rows.push_back({.token = token, .slot = slot, .limit = slot + 1});
    ++slot;
  }
  judge_clean(proposal, 0, slot - 1);
  const int first = slot;  // where the draft begins
  for (std::size_t i = 0; i < draft_.size(); ++i, ++slot) {
    rows.push_back({.token = draft_[i], .slot = slot, .limit = slot + 1});
    judge_clean(proposal, i + 1, slot);
  }
  // A block of masks for each number of accepted tokens, side by side in the slots behind the draft: each continues the
  // draft up to there and sees neither the rest of it nor the other blocks.
  for (std::size_t accepted = 0; accepted < masks_.size(); ++accepted) {
    const int past = first + static_cast<int>(accepted), begin = slot, end = begin + masks_[accepted];
    for (; slot < end; ++slot) {
      const int position = past + slot - begin;
      rows.push_back({.token = network_.spec().mask,
                      .slot = slot,
                      .limit = end,
                      .in_block = true,
                      .position = position,
                      .hidden = {past, begin}});
      judge(proposal, answer_.allowed_later(), position);
    }
  }
}

void SpeculativeDecoding::absorb(std::span<const kernels::Score> scores) {
  cache_.append(pending_);
  std::size_t kept = 0;
  for (;; ++kept) {
    const bool keeps = kept < draft_.size() && stays(draft_[kept], scores[kept]);
    take(keeps ? draft_[kept] : scores[kept].token, scores[kept]);
    if (answer_.complete() || !keeps) break;
    cache_.append({&draft_[kept], 1});
  }
  count(kept);
  if (kept < masks_.size()) {
    const auto masks = masks_behind(kept, scores);
    keep_mask_draft(masks);
    end_if_sure(masks);
  }
  draft_.clear();
}

bool SpeculativeDecoding::stays(std::int32_t token, const kernels::Score& score) const {
  if (token == score.token) return true;
  return acceptance_.accept_ratio < 1 && std::isfinite(score.asked_logit) &&
         std::exp(score.asked_logit - score.best_logit) >= acceptance_.accept_ratio;
}

// Takes a token of the draft, or the one that the base chose, as the last one known.
void SpeculativeDecoding::take(std::int32_t token, const kernels::Score& score) {
  if (token == score.token) {
    const Candidate candidate = to_candidate(0, score);
    answer_.append(token, candidate.probability, candidate.margin);
  } else {
    answer_.append(token, std::exp(score.asked_logit - score.log_sum_exp));
  }
  pending_ = {token};
}

void SpeculativeDecoding::count(std::size_t kept) {
  counts_.resize(std::max(counts_.size(), draft_.size()));
  for (std::size_t i = 0; i < draft_.size(); ++i) {
    ++counts_[i].drafted;
    counts_[i].accepted += i < kept ? 1 : 0;
  }
}

// The rows of the block behind `kept` draft tokens that speak for what follows the token just taken: with logits shift
// 1 the first one stands for that token and predicts the next.
std::span<const kernels::Score> SpeculativeDecoding::masks_behind(std::size_t kept,
                                                                  std::span<const kernels::Score> scores) const {
  const int before = std::accumulate(masks_.begin(), masks_.begin() + static_cast<std::ptrdiff_t>(kept), 0);
  const int unused = std::min(network_.spec().logits_shift == 1 ? 0 : 1, masks_[kept]);
  return scores.subspan(1 + draft_.size() + static_cast<std::size_t>(before + unused),
                        static_cast<std::size_t>(masks_[kept] - unused));
}

void SpeculativeDecoding::keep_mask_draft(std::span<const kernels::Score> masks) {
  for (const kernels::Score& mask : masks) {
    if (mask.token == network_.spec().hole_end) break;  // what follows is for the base to say
    mask_draft_.tokens.push_back(mask.token);
    mask_draft_.probabilities.push_back(to_candidate(0, mask).probability);
  }
}

void SpeculativeDecoding::end_if_sure(std::span<const kernels::Score> masks) {
  std::vector<std::int32_t> sure;
  for (const kernels::Score& mask : masks) {
    if (mask.token < 0 || to_candidate(0, mask).probability < acceptance_.finish_confidence) break;
    sure.push_back(mask.token);
  }
  if (sure.empty()) return;
  const std::size_t tokens = answer_.completed_by(sure).value_or(0);
  for (const kernels::Score& mask : masks.first(tokens)) {
    const Candidate candidate = to_candidate(0, mask);
    answer_.append(mask.token, candidate.probability, candidate.margin);
  }
}

std::vector<ShownToken> SpeculativeDecoding::view() const {
  std::vector<ShownToken> shown;
  const auto tokens = answer_.tokens();
  for (std::size_t i = 0; i < tokens.size(); ++i) shown.push_back({tokens[i], answer_.probabilities()[i]});
  if (!answer_.complete()) {
    for (const std::int32_t token : mask_draft_.tokens) shown.push_back({token, 0.0f});
    if (mask_draft_.empty()) shown.push_back({-1, 0.0f});
  }
  return shown;
}

}  // namespace cinnabar::engine
