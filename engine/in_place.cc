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
  if (masked_at_start_ == 0) stop(StopReason::hole_end);
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
  const ModelSpec& spec = network_.spec();
  const auto open = [&](std::span<const std::int32_t> ahead) {
    const std::uint64_t* allowed = answer_.allowed_after(ahead, true);
    std::vector<std::uint64_t> bitmap(allowed, allowed + (static_cast<std::size_t>(spec.vocabulary) + 63) / 64);
    const auto close = [&](std::int32_t token) {
      if (token >= 0) bitmap[static_cast<std::size_t>(token) / 64] &= ~(std::uint64_t{1} << (token % 64));
    };
    if (options_.remask || canvas_.hole_end() - canvas_.hole_begin() >= options_.longest_hole) close(spec.expand);
    if (options_.remask && spec.expand >= 0) close(spec.erase);
    return bitmap;
  };
  open_first_ = open({});
  open_ = open(canvas_.hole().first(1));
  for (int position = first; position < last; ++position) {
    proposal.segment.rows.push_back(
        {.token = canvas_.token(position), .slot = position, .limit = canvas_.size(), .in_block = true});
    const int predicted = position + spec.logits_shift;
    if (predicted < block_begin_ || predicted >= block_end()) continue;
    if (canvas_.cell(predicted) != Cell::masked && !options_.remask) continue;
    proposal.segment.rows.back().judged = true;
    judged_.push_back(predicted);
    proposal.requests.push_back({.allowed = predicted == canvas_.hole_begin() ? open_first_.data() : open_.data(),
                                 .temperature = options_.sampling.temperature,
                                 .seed = options_.sampling.seed,
                                 .step = steps_done_,
                                 .position = static_cast<std::uint32_t>(predicted)});
  }
}

void InPlaceDiffusion::absorb(std::span<const kernels::Score> scores) {
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < scores.size(); ++i) candidates.push_back(to_candidate(judged_[i], scores[i]));
  if (options_.remask)
    keep(candidates);
  else
    apply(candidates);
  ++step_;
  ++steps_done_;
  while (!canvas_.has_masks(block_begin_, block_end())) {
    if (block_end() == canvas_.hole_end()) return stop(StopReason::hole_end);
    block_begin_ = block_end();
    step_ = 0;
    masked_at_start_ = static_cast<int>(canvas_.masked(block_begin_, block_end()).size());
  }
  if (step_ >= options_.steps) stop(StopReason::steps);
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

void InPlaceDiffusion::keep(std::span<const Candidate> candidates) {
  // In whole numbers, so that the last step keeps all: n - floor(n (1 - k / steps)).
  const auto n = static_cast<std::int64_t>(candidates.size());
  const std::int64_t left = std::max(options_.steps - step_ - 1, 0);
  const auto kept = static_cast<int>(n - n * left / std::max(options_.steps, 1));
  for (const Candidate& candidate : candidates)
    if (canvas_.cell(candidate.position) == Cell::unmasked) canvas_.remask(candidate.position);
  for (const int i : keep_surest(candidates, options_.choice.confidence, kept)) {
    const Candidate& candidate = candidates[static_cast<std::size_t>(i)];
    canvas_.unmask(candidate.position, candidate.token, candidate.probability);
  }
}

// The answer is what stands before the first mask: all of the hole, or a beginning when the limits ended it.
void InPlaceDiffusion::stop(StopReason reason) {
  if (answer_.complete()) return;
  for (int position = canvas_.hole_begin(); position < canvas_.hole_end(); ++position) {
    if (canvas_.cell(position) == Cell::masked) break;
    answer_.append(canvas_.token(position), canvas_.confidence(position));
  }
  answer_.stop(reason);
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
