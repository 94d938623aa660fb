#include "engine/verified.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/draft.h"
#include "engine/sampler.h"

namespace cinnabar::engine {
namespace {

constexpr int kLongestDraft = 12;  // beyond it hardly a token is accepted

// How often a drafted token is right where those before it were.
constexpr float kFormerSure = 0.9f;
constexpr float kLookupSure = 0.7f;

// A row has to bring as many tokens as this over Backend::cheap_rows: more than it costs by the clock, since a row's
// use is only expected. Tried on AVX2 (bench/README.md): 0.6, 1, 1.5.
constexpr float kRowCost = 1.25f;

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
  const int cheap = std::max(network.backend().cheap_rows() - 1, 1);
  if (drafts_.limit < 0) drafts_.limit = std::min(cheap, kLongestDraft);
  if (drafts_.mask_rows < 0) drafts_.mask_rows = 2 * cheap;
}

// A former answer is the best guess: it was right until the user diverged.
Draft VerifiedDecoding::make_draft() {
  Draft masks = std::exchange(mask_draft_, {});
  std::vector<std::int32_t> tokens =
      draft_from_former(former_, answer_.tokens(), drafts_.shortest_match, drafts_.limit);
  if (!tokens.empty()) return equally_sure(std::move(tokens), kFormerSure);
  if (drafts_.lookup) {
    std::vector<std::int32_t> context(cache_.tokens().begin(), cache_.tokens().end());
    context.insert(context.end(), pending_.begin(), pending_.end());
    tokens = draft_from_lookup(context, drafts_.shortest_match, drafts_.limit);
  }
  Draft draft = surer(masks, equally_sure(std::move(tokens), kLookupSure));
  draft.shorten(static_cast<std::size_t>(drafts_.limit));
  return draft;
}

// What of the draft runs with the next forward, and the mask rows beside it.
void VerifiedDecoding::plan_rows() {
  Draft draft = make_draft();
  const auto room = static_cast<int>(std::clamp<std::int64_t>(
      cache_.capacity() - cache_.size() - static_cast<std::int64_t>(pending_.size()), 0, Network::max_rows()));
  if (uses_adapter()) {
    const int rows = std::min(room, std::max(drafts_.mask_rows, drafts_.limit));
    const float cost = kRowCost / static_cast<float>(network_.backend().cheap_rows());
    const DraftPlan plan = divide_rows(draft.probabilities, rows, cost, network_.spec().block_length);
    draft.shorten(static_cast<std::size_t>(plan.tokens));
    masks_ = plan.masks;
  } else {
    draft.shorten(static_cast<std::size_t>(room));
    masks_.clear();
  }
  draft_ = std::move(draft.tokens);
}

void VerifiedDecoding::judge(Proposal& proposal, std::span<const std::int32_t> ahead, int position, bool in_block) {
  proposal.segment.rows.back().judged = true;
  proposal.requests.push_back({.allowed = answer_.allowed_after(ahead, in_block),
                               .temperature = sampling_.temperature,
                               .seed = sampling_.seed,
                               .position = static_cast<std::uint32_t>(position + 1)});
}

void VerifiedDecoding::propose(Proposal& proposal) {
  plan_rows();
  proposal.segment.kv = &cache_.store();
  auto& rows = proposal.segment.rows;
  int slot = cache_.size();
  for (const std::int32_t token : pending_) {
    rows.push_back({.token = token, .slot = slot, .limit = slot + 1});
    ++slot;
  }
  judge(proposal, {}, slot - 1);
  const int first = slot;  // where the draft begins
  for (std::size_t i = 0; i < draft_.size(); ++i, ++slot) {
    rows.push_back({.token = draft_[i], .slot = slot, .limit = slot + 1});
    judge(proposal, std::span(draft_).first(i + 1), slot);
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
      judge(proposal, std::span(draft_).first(accepted), position, true);
    }
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
  if (agreed < masks_.size()) {
    const auto masks = static_cast<std::size_t>(
        std::accumulate(masks_.begin(), masks_.begin() + static_cast<std::ptrdiff_t>(agreed), 0));
    keep_mask_draft(scores.subspan(1 + draft_.size() + masks, static_cast<std::size_t>(masks_[agreed])));
  }
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
void VerifiedDecoding::keep_mask_draft(std::span<const kernels::Score> masks) {
  const std::size_t first = network_.spec().logits_shift == 1 ? 0 : 1;
  for (std::size_t i = first; i < masks.size(); ++i) {
    if (masks[i].token == network_.spec().hole_end) break;  // what follows is for the base to say
    mask_draft_.tokens.push_back(masks[i].token);
    mask_draft_.probabilities.push_back(std::exp(masks[i].logit - masks[i].log_sum_exp));
  }
}

std::vector<ShownToken> VerifiedDecoding::view() const {
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
