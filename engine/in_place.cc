#include "engine/in_place.h"

#include <algorithm>

#include "engine/schedule.h"

namespace cinnabar::engine {

InPlaceDiffusion::InPlaceDiffusion(Network& network, KvCache& cache, Canvas canvas, Answer answer,
                                   const InPlaceOptions& options)
    : network_(network),
      cache_(cache),
      canvas_(std::move(canvas)),
      answer_(std::move(answer)),
      options_(options),
      block_begin_(canvas_.hole_begin()) {
  masked_at_start_ = static_cast<int>(canvas_.masked(block_begin_, block_end()).size());
  if (masked_at_start_ == 0) finish();
}

int InPlaceDiffusion::block_end() const { return std::min(block_begin_ + options_.block_length, canvas_.hole_end()); }

void InPlaceDiffusion::propose(Proposal& proposal) {
  proposal.segment.kv = &cache_.store();
  judged_.clear();
  const int shift = network_.spec().logits_shift;
  const bool fresh = step_ == 0 || options_.reuse == Reuse::exact;
  const int first = fresh ? 0 : std::max(0, block_begin_ - shift);
  const int last = fresh || options_.reuse == Reuse::prefix ? canvas_.size() : block_end();
  add_rows(proposal, first, last);
}

void InPlaceDiffusion::add_rows(Proposal& proposal, int first, int last) {
  const int shift = network_.spec().logits_shift;
  const bool may_expand = canvas_.hole_end() - canvas_.hole_begin() < options_.longest_hole;
  const std::uint64_t* open = answer_.allowed_after({});
  if (!may_expand && network_.spec().expand >= 0) {
    without_expand_.assign(open, open + (static_cast<std::size_t>(network_.spec().vocabulary) + 63) / 64);
    const auto expand = static_cast<std::size_t>(network_.spec().expand);
    without_expand_[expand / 64] &= ~(std::uint64_t{1} << (expand % 64));
    open = without_expand_.data();
  }
  for (int position = first; position < last; ++position) {
    proposal.segment.rows.push_back(
        {.token = canvas_.token(position), .slot = position, .limit = canvas_.size(), .in_block = true});
    const int predicted = position + shift;
    if (predicted < block_begin_ || predicted >= block_end() || canvas_.cell(predicted) != Cell::masked) continue;
    proposal.segment.rows.back().judged = true;
    judged_.push_back(predicted);
    proposal.requests.push_back({.allowed = open,
                                 .temperature = options_.sampling.temperature,
                                 .seed = options_.sampling.seed,
                                 .step = steps_done_,
                                 .position = static_cast<std::uint32_t>(predicted)});
  }
}

void InPlaceDiffusion::absorb(std::span<const kernels::Score> scores) {
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < scores.size(); ++i) candidates.push_back(to_candidate(judged_[i], scores[i]));
  apply(candidates);
  ++step_;
  ++steps_done_;
  while (!canvas_.has_masks(block_begin_, block_end())) {
    if (block_end() == canvas_.hole_end()) return finish();
    block_begin_ = block_end();
    step_ = 0;
    masked_at_start_ = static_cast<int>(canvas_.masked(block_begin_, block_end()).size());
  }
  if (step_ >= options_.steps) answer_.stop(StopReason::steps);
}

void InPlaceDiffusion::apply(std::span<const Candidate> candidates) {
  const auto open = static_cast<int>(candidates.size());
  Choice choice = options_.choice;
  int count = 1;
  if (options_.quota != Quota::none) {
    choice.rule = Rule::quota;
    count = options_.quota == Quota::even ? even_quota(masked_at_start_, options_.steps, step_)
                                          : timestep_quota(open, options_.steps, step_);
  }
  std::vector<int> chosen = choose(candidates, choice, count);
  std::reverse(chosen.begin(), chosen.end());  // from right to left: a length change moves only what is behind it
  for (const int i : chosen) {
    const Candidate& candidate = candidates[static_cast<std::size_t>(i)];
    const ModelSpec& spec = network_.spec();
    if (candidate.token >= 0 && (candidate.token == spec.expand || candidate.token == spec.erase)) {
      apply_length_change(candidate.position, candidate.token);
    } else {
      canvas_.unmask(candidate.position, candidate.token, candidate.probability);
    }
  }
}

void InPlaceDiffusion::apply_length_change(int position, std::int32_t token) {
  if (token == network_.spec().expand) {
    canvas_.expand(position);
    return;
  }
  const int behind = canvas_.hole_end() - position - 1;
  const bool masks_only = static_cast<int>(canvas_.masked(position + 1, canvas_.hole_end()).size()) == behind;
  canvas_.erase(position);
  if (!options_.broadcast_erase || !masks_only) return;
  while (canvas_.hole_end() > position) canvas_.erase(position);
}

void InPlaceDiffusion::finish() {
  for (int position = canvas_.hole_begin(); position < canvas_.hole_end(); ++position) {
    answer_.append(canvas_.token(position), canvas_.confidence(position));
  }
  answer_.stop(StopReason::hole_end);
}

std::vector<ShownToken> InPlaceDiffusion::view() const {
  std::vector<ShownToken> shown;
  for (int position = canvas_.hole_begin(); position < canvas_.hole_end(); ++position) {
    const bool masked = canvas_.cell(position) == Cell::masked;
    shown.push_back({masked ? -1 : canvas_.token(position), canvas_.confidence(position)});
  }
  return shown;
}

}  // namespace cinnabar::engine
