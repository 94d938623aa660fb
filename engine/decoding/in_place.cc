#include "engine/decoding/in_place.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "engine/decoding/schedule.h"

namespace cinnabar::engine {

InPlaceOptions in_place_options(const DenoiseOptions& said) {
  InPlaceOptions options;
  options.block_length = said.block.value_or(options.block_length);
  options.choice = choice_of(said);
  options.count = said.quota.value_or(options.count);
  options.reuse = said.reuse.value_or(options.reuse);
  options.guidance = said.guidance.value_or(options.guidance);
  options.longest_hole = said.longest_hole.value_or(options.longest_hole);
  options.broadcast_erase = said.broadcast.value_or(options.broadcast_erase);
  options.remask = remasking_of(said);
  if (said.steps) {
    options.steps = *said.steps;
    options.quota = said.schedule.value_or(Quota::even);
  } else if (options.remask.rule == Remask::p2) {
    options.steps = 0;
  } else {  // an expand and an erase for each position, at most
    options.steps = std::max(options.steps, 2 * options.block_length);
  }
  return options;
}

InPlaceDiffusion::InPlaceDiffusion(Network& network, KvCache& cache, Canvas canvas, std::vector<Answer> answers,
                                   const InPlaceOptions& options, KvCache* unguided)
    : network_(network),
      cache_(cache),
      unguided_(unguided),
      canvas_(std::move(canvas)),
      answers_(std::move(answers)),
      options_(options),
      blocks_(canvas_.holes()) {
  assert(answers_.size() == canvas_.holes());
  assert(options_.guidance <= 0 || unguided_ != nullptr);
  for (std::size_t hole = 0; hole < canvas_.holes(); ++hole) {
    start_block(hole);
    if (blocks_[hole].masked_at_start == 0) finish(hole, StopReason::hole_end);
  }
}

int InPlaceDiffusion::block_end(std::size_t hole) const {
  return std::min(block_begin(hole) + options_.block_length, canvas_.hole_end(hole));
}

void InPlaceDiffusion::start_block(std::size_t hole) {
  Block& block = blocks_[hole];
  block.step = block.committed_last = block.masked_again = 0;
  block.replaces = false;
  block.masked_at_start = static_cast<int>(canvas_.masked(block_begin(hole), block_end(hole)).size());
}

void InPlaceDiffusion::propose(Proposal& proposal) {
  proposal.segment.kv = &cache_.store();
  judged_.clear();
  const int shift = network_.spec().logits_shift;
  bool fresh = options_.reuse == Reuse::exact;
  int first = canvas_.size();
  std::vector<std::size_t> open;
  for (std::size_t hole = 0; hole < canvas_.holes(); ++hole) {
    if (!is_open(hole)) continue;
    open.push_back(hole);
    fresh = fresh || blocks_[hole].step == 0;
    first = std::min(first, std::max(0, block_begin(hole) - shift));
    blocks_[hole].open_first = allowed(hole, {});
    blocks_[hole].open = allowed(hole, canvas_.hole(hole).first(1));
  }
  const auto in_a_block = [&](int position) {  // or the row that predicts a block's first position
    return std::any_of(open.begin(), open.end(), [&](std::size_t hole) {
      return position >= block_begin(hole) - shift && position < block_end(hole);
    });
  };
  for (int position = fresh ? 0 : first; position < canvas_.size(); ++position) {
    if (!fresh && options_.reuse == Reuse::dual && !in_a_block(position)) continue;
    proposal.segment.rows.push_back(
        {.token = canvas_.token(position), .slot = position, .limit = canvas_.size(), .in_block = true});
    const int predicted = position + shift;
    for (const std::size_t hole : open) {
      if (predicted < block_begin(hole) || predicted >= block_end(hole)) continue;
      if (canvas_.cell(predicted) == Cell::masked || options_.remask.rule == Remask::p2)
        judge(proposal, hole, predicted);
    }
  }
  if (options_.remask.rule == Remask::wino) add_second_masks(proposal, open);
  proposal.sampling = options_.sampling;
  if (options_.guidance > 0) add_unguided(proposal);
}

// A token in slot 0 cannot be hidden (kernels::AttentionSegment) and so is not judged.
void InPlaceDiffusion::add_second_masks(Proposal& proposal, std::span<const std::size_t> open) {
  int end = canvas_.size();
  for (const std::size_t hole : open) end += block_end(hole) - block_begin(hole);
  int slot = canvas_.size();
  for (const std::size_t hole : open) {
    for (int position = block_begin(hole); position < block_end(hole); ++position) {
      proposal.segment.rows.push_back({.token = network_.spec().mask,
                                       .slot = slot++,
                                       .limit = end,
                                       .in_block = true,
                                       .position = position,
                                       .hidden = {position, position + 1}});
      if (canvas_.cell(position) != Cell::unmasked || position == 0) continue;
      judge(proposal, hole, position);
      judged_.back().committed = true;
      proposal.requests.back().asked = canvas_.token(position);
    }
  }
}

// The same rows with everything given masked.
void InPlaceDiffusion::add_unguided(Proposal& proposal) const {
  proposal.guidance = options_.guidance;
  proposal.unguided = {&unguided_->store(), proposal.segment.rows};
  for (ForwardRow& row : proposal.unguided.rows)
    if (row.slot < canvas_.size() && canvas_.cell(row.slot) == Cell::given) row.token = network_.spec().mask;
}

std::vector<std::uint64_t> InPlaceDiffusion::allowed(std::size_t hole, std::span<const std::int32_t> ahead) {
  const ModelSpec& spec = network_.spec();
  const std::uint64_t* words = answers_[hole].allowed_after(ahead, true);
  std::vector<std::uint64_t> bitmap(words, words + (static_cast<std::size_t>(spec.vocabulary) + 63) / 64);
  const auto close = [&](std::int32_t token) {
    if (token >= 0) bitmap[static_cast<std::size_t>(token) / 64] &= ~(std::uint64_t{1} << (token % 64));
  };
  const int length = canvas_.hole_end(hole) - canvas_.hole_begin(hole);
  const bool keeps_length = options_.remask.rule != Remask::none || !options_.expand;
  if (keeps_length || length >= options_.longest_hole) close(spec.expand);
  if (keeps_length && spec.expand >= 0) close(spec.erase);
  return bitmap;
}

// The last row of the proposal speaks about `position`.
void InPlaceDiffusion::judge(Proposal& proposal, std::size_t hole, int position) {
  const Block& block = blocks_[hole];
  proposal.segment.rows.back().judged = true;
  judged_.push_back({hole, position, false});
  proposal.requests.push_back(
      {.allowed = position == canvas_.hole_begin(hole) ? block.open_first.data() : block.open.data(),
       .temperature = options_.sampling.temperature,
       .seed = options_.sampling.seed,
       .step = steps_done_,
       .position = static_cast<std::uint32_t>(position)});
}

void InPlaceDiffusion::absorb(std::span<const kernels::Score> scores) {
  std::vector<Said> said(canvas_.holes());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const auto& [hole, position, committed] = judged_[i];
    if (committed)
      said[hole].committed.push_back(to_committed(position, scores[i]));
    else
      said[hole].candidates.push_back(to_candidate(position, scores[i]));
  }
  for (std::size_t hole = canvas_.holes(); hole-- > 0;) {  // a length change moves only what is behind it
    if (is_open(hole)) step(hole, said[hole]);
  }
  ++steps_done_;
}

void InPlaceDiffusion::step(std::size_t hole, const Said& said) {
  Block& block = blocks_[hole];
  if (options_.remask.rule == Remask::p2)
    keep(hole, said.candidates);
  else
    apply(hole, said.candidates);
  if (!block.replaces) ++block.step;
  if (options_.remask.rule == Remask::remdm) mask_least_sure(hole);
  if (options_.remask.rule == Remask::wino) mask_doubted(hole, said);
  while (!canvas_.has_masks(block_begin(hole), block_end(hole))) {
    if (block_end(hole) == canvas_.hole_end(hole)) return finish(hole, StopReason::hole_end);
    block.at += options_.block_length;
    start_block(hole);
  }
  if (block.step >= steps_of(hole) && !block.replaces) finish(hole, StopReason::steps);
}

int InPlaceDiffusion::steps_of(std::size_t hole) const {
  return options_.steps > 0 ? options_.steps : blocks_[hole].masked_at_start;
}

std::vector<int> InPlaceDiffusion::chosen(std::size_t hole, std::span<const Candidate> candidates) const {
  const Block& block = blocks_[hole];
  const Chance chance{options_.sampling.seed, steps_done_};
  Choice choice = options_.choice;
  int count = options_.count;
  if (options_.quota == Quota::even) count = even_quota(block.masked_at_start, options_.steps, block.step);
  if (options_.quota == Quota::timestep)
    count = timestep_quota(static_cast<int>(candidates.size()), options_.steps, block.step);
  if (block.replaces) {
    choice.rule = Rule::quota;
    count = options_.remask.count;
  }
  std::vector<int> found = choose(candidates, choice, count, chance);
  const int most = widest_step(static_cast<int>(candidates.size()));
  if (options_.remask.rule == Remask::wino && static_cast<int>(found.size()) > most) {
    choice.rule = Rule::quota;
    found = choose(candidates, choice, most, chance);
  }
  return found;
}

void InPlaceDiffusion::apply(std::size_t hole, std::span<const Candidate> candidates) {
  std::vector<int> found = chosen(hole, candidates);
  std::reverse(found.begin(), found.end());  // from right to left, as the holes
  for (const int i : found) {
    const Candidate& candidate = candidates[static_cast<std::size_t>(i)];
    const ModelSpec& spec = network_.spec();
    if (candidate.token >= 0 && (candidate.token == spec.expand || candidate.token == spec.erase)) {
      apply_length_change(hole, candidate.position, candidate.token);
    } else {
      canvas_.unmask(candidate.position, candidate.token, candidate.probability);
    }
  }
}

void InPlaceDiffusion::apply_length_change(std::size_t hole, int position, std::int32_t token) {
  if (token == network_.spec().expand) {
    canvas_.expand(position);
    return;
  }
  const int behind = canvas_.hole_end(hole) - position - 1;
  const bool masks_only = static_cast<int>(canvas_.masked(position + 1, canvas_.hole_end(hole)).size()) == behind;
  canvas_.erase(position);
  if (!options_.broadcast_erase || !masks_only) return;
  while (canvas_.hole_end(hole) > position) canvas_.erase(position);
}

void InPlaceDiffusion::keep(std::size_t hole, std::span<const Candidate> candidates) {
  // In whole numbers, so that the last step keeps all: n - floor(n (1 - k / steps)).
  const auto n = static_cast<std::int64_t>(candidates.size());
  const std::int64_t left = std::max(steps_of(hole) - blocks_[hole].step - 1, 0);
  const auto kept = static_cast<int>(n - n * left / std::max(steps_of(hole), 1));
  for (const Candidate& candidate : candidates)
    if (canvas_.cell(candidate.position) == Cell::unmasked) canvas_.remask(candidate.position);
  for (const int i : keep_surest(candidates, options_.choice.confidence, kept)) {
    const Candidate& candidate = candidates[static_cast<std::size_t>(i)];
    canvas_.unmask(candidate.position, candidate.token, candidate.probability);
  }
}

// Once a block is nearly full, its least sure positions, for a number of steps that commit as many.
void InPlaceDiffusion::mask_least_sure(std::size_t hole) {
  Block& block = blocks_[hole];
  std::vector<Committed> committed;
  for (int position = block_begin(hole); position < block_end(hole); ++position)
    if (canvas_.cell(position) == Cell::unmasked) committed.push_back({position, canvas_.confidence(position)});
  const int steps = options_.remask.steps > 0 ? options_.remask.steps : block.masked_at_start;
  const bool nearly_full = static_cast<int>(committed.size()) >= std::max(1, block.masked_at_start * 7 / 8);
  block.replaces = block.masked_again < steps && (nearly_full || block.masked_again > 0);
  if (!block.replaces) return;
  ++block.masked_again;
  for (const int position : least_sure(committed, options_.remask.count)) canvas_.remask(position);
}

// Fewer than the step before committed, so that the block fills; none where this step committed but one.
void InPlaceDiffusion::mask_doubted(std::size_t hole, const Said& said) {
  Block& block = blocks_[hole];
  int committed = 0;
  for (const Candidate& candidate : said.candidates) committed += canvas_.cell(candidate.position) == Cell::unmasked;
  const int before = std::exchange(block.committed_last, committed);
  if (committed <= 1) return;
  for (const int position : least_sure(said.committed, before - 1, options_.remask.threshold)) canvas_.remask(position);
}

// The answer is what stands before the first mask: all of the hole, or a beginning when the limits ended it.
void InPlaceDiffusion::finish(std::size_t hole, StopReason reason) {
  Answer& answer = answers_[hole];
  for (int position = canvas_.hole_begin(hole); position < canvas_.hole_end(hole); ++position) {
    if (canvas_.cell(position) == Cell::masked) break;
    answer.append(canvas_.token(position), canvas_.confidence(position));
  }
  answer.stop(reason);
}

void InPlaceDiffusion::stop(StopReason reason) {
  for (std::size_t hole = 0; hole < canvas_.holes(); ++hole) {
    if (is_open(hole)) finish(hole, reason);
  }
}

std::vector<ShownToken> InPlaceDiffusion::view() const {
  std::vector<ShownToken> shown;
  for (std::size_t hole = 0; hole < canvas_.holes(); ++hole) {
    for (int position = canvas_.hole_begin(hole); position < canvas_.hole_end(hole); ++position) {
      const bool masked = canvas_.cell(position) == Cell::masked;
      shown.push_back({masked ? -1 : canvas_.token(position), canvas_.confidence(position)});
    }
  }
  return shown;
}

}  // namespace cinnabar::engine
