#include "engine/decoding/block_diffusion.h"

#include <algorithm>

#include "engine/decoding/schedule.h"

namespace cinnabar::engine {

BlockOptions block_options(const DenoiseOptions& said) {
  return {.length = said.block.value_or(0),
          .choice = choice_of(said),
          .quota = said.quota.value_or(1),
          .steps = said.steps.value_or(0),
          .sub_block = said.sub_block.value_or(0)};
}

BlockDiffusion::BlockDiffusion(Network& network, KvCache& cache, std::vector<std::int32_t> pending, Answer answer,
                               const BlockOptions& options)
    : network_(network),
      cache_(cache),
      pending_(std::move(pending)),
      answer_(std::move(answer)),
      options_(options),
      block_({}, 0, {}, network.spec().mask) {
  assert(!pending_.empty());
  if (options_.length == 0 || tiled()) options_.length = network.spec().block_length;
  if (options_.sub_block == 0) options_.sub_block = network.spec().sub_block;
  start_block();
}

// The tokens behind the last whole block begin the next one, where blocks are tiled.
void BlockDiffusion::start_block() {
  std::vector<std::int32_t> begun;
  if (tiled()) {
    const std::size_t whole =
        pending_.size() / static_cast<std::size_t>(options_.length) * static_cast<std::size_t>(options_.length);
    begun.assign(pending_.begin() + static_cast<std::ptrdiff_t>(whole), pending_.end());
    pending_.resize(whole);
  }
  settled_ = static_cast<int>(begun.size());
  block_ = Canvas(std::move(begun), options_.length - settled_, {}, network_.spec().mask);
  masked_at_start_ = options_.length - settled_;
  block_step_ = 0;
  first_.reset();
}

// A block whose steps are used up, as when a first token was settled by itself, goes on by one position each.
int BlockDiffusion::quota() const {
  if (options_.steps == 0) return options_.quota;
  return std::max(1, even_quota(masked_at_start_, options_.steps, block_step_));
}

bool BlockDiffusion::says_first() const {
  return tiled() && network_.spec().logits_shift == 1 && !pending_.empty() && block_.cell(0) == Cell::masked;
}

void BlockDiffusion::propose(Proposal& proposal) {
  const int shift = network_.spec().logits_shift;
  proposal.segment.kv = &cache_.store();
  proposal.sampling = options_.sampling;
  auto& rows = proposal.segment.rows;
  judged_.clear();
  const auto judge = [&](int position, bool in_block) {
    rows.back().judged = true;
    judged_.push_back(position);
    const bool next = position == settled_;  // only the first open position knows the text before it
    proposal.requests.push_back(
        {.allowed = answer_.allowed_after(next ? std::span<const std::int32_t>() : block_.tokens(), in_block),
         .temperature = options_.sampling.temperature,
         .seed = options_.sampling.seed,
         .step = step_,
         .position = static_cast<std::uint32_t>(position)});
  };
  int slot = cache_.size();
  for (const std::int32_t token : pending_) {
    const int seen = tiled() ? slot / options_.length * options_.length + options_.length : slot + 1;
    rows.push_back({.token = token, .slot = slot, .limit = seen});
    ++slot;
  }
  if (shift == 1 && !pending_.empty() && block_.cell(0) == Cell::masked) judge(0, false);
  if (says_first()) return;
  const int end = slot + options_.length;
  for (int position = 0; position < options_.length; ++position, ++slot) {
    rows.push_back({.token = block_.token(position), .slot = slot, .limit = end, .in_block = true});
    const int predicted = position + shift;
    if (predicted < options_.length && block_.cell(predicted) == Cell::masked) judge(predicted, true);
  }
}

void BlockDiffusion::absorb(std::span<const kernels::Score> scores) {
  const bool first_only = says_first();
  cache_.append(pending_);
  pending_.clear();
  ++step_;
  const bool shifted = network_.spec().logits_shift == 1;
  if (shifted && !judged_.empty() && judged_.front() == 0) first_ = scores.front();
  std::vector<Candidate> candidates;
  if (first_ && block_.cell(0) == Cell::masked) candidates.push_back(to_candidate(0, *first_));
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (!shifted || judged_[i] != 0) candidates.push_back(to_candidate(judged_[i], scores[i]));
  }
  if (first_only)
    block_.unmask(0, first_->token, to_candidate(0, *first_).probability);
  else
    commit(candidates);
  settle();
  if (answer_.complete() || block_.has_masks(0, block_.size())) return;
  pending_.assign(block_.tokens().begin(), block_.tokens().end());
  start_block();
}

void BlockDiffusion::commit(std::span<const Candidate> candidates) {
  if (answer_.healing()) {  // the typed bytes decide the first open position; later ones wait for it
    const auto next =
        std::find_if(candidates.begin(), candidates.end(), [&](const Candidate& c) { return c.position == settled_; });
    if (next != candidates.end()) block_.unmask(next->position, next->token, next->probability);
    return;
  }
  // Of the first sub-block that has masks.
  const int part = options_.sub_block > 0 ? options_.sub_block : block_.size();
  int from = 0;
  while (from + part < block_.size() && !block_.has_masks(from, from + part)) from += part;
  std::vector<Candidate> open;
  std::copy_if(candidates.begin(), candidates.end(), std::back_inserter(open),
               [&](const Candidate& c) { return c.position >= from && c.position < from + part; });
  for (const int i : choose(open, options_.choice, quota(), {options_.sampling.seed, step_})) {
    const Candidate& candidate = open[static_cast<std::size_t>(i)];
    block_.unmask(candidate.position, candidate.token, candidate.probability);
  }
  ++block_step_;
}

// Hands the block's leading unmasked positions to the answer, which may be complete before the block is.
void BlockDiffusion::settle() {
  while (settled_ < block_.size() && block_.cell(settled_) == Cell::unmasked && !answer_.complete()) {
    answer_.append(block_.token(settled_), block_.confidence(settled_));
    ++settled_;
  }
}

std::vector<ShownToken> BlockDiffusion::view() const {
  std::vector<ShownToken> shown;
  const auto tokens = answer_.tokens();
  for (std::size_t i = 0; i < tokens.size(); ++i) shown.push_back({tokens[i], answer_.probabilities()[i]});
  for (int position = settled_; !answer_.complete() && position < block_.size(); ++position) {
    const bool masked = block_.cell(position) == Cell::masked;
    shown.push_back({masked ? -1 : block_.token(position), block_.confidence(position)});
  }
  return shown;
}

}  // namespace cinnabar::engine
