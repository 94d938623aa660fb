// Autoregressive decoding, alone or sped up by verified drafts: guesses for the next tokens run as clean rows behind
// the pending token; the longest run that agrees with the model's own choices is accepted, and with it the model's next
// token. The result equals plain autoregressive decoding token for token, whatever the drafts were (speculative
// decoding, 2211.17192, with deterministic choices: greedy, or sampled with noise that depends on the position alone).
//
// With a gated adapter the draft for the next forward comes out of this one: blocks of mask rows stand behind every
// number of draft tokens that may turn out to be accepted (TiDAR 2511.08923, 2507.11851).
//
// The same rows are denoising with remasking where an Acceptance says so: what the masks said is provisional text. The
// next forward reads it as clean rows and keeps what the base finds plausible; from the first token on that it does
// not, the text is masked again. Text that is sure and completes the answer is not read again at all.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/decoding/decode.h"
#include "engine/decoding/draft.h"
#include "engine/forward/kv_cache.h"

namespace cinnabar::engine {

// What becomes of tokens that the base has not chosen. As it is by default, they all go: verified decoding.
struct Acceptance {
  // A draft token stays if the base gives it at least this share of the probability of its best token, 0 .. 1 (typical
  // acceptance, 2401.10774, relative to the best; what does not stay is remasked, 2503.00307). Tokens that are not
  // allowed never stay. 1: only the base's own choice stays.
  float accept_ratio = 1;
  // Tokens of mask rows, each at least so probable, that complete the answer are its end, without a forward that reads
  // them. Above 1: never.
  float finish_confidence = 2;
};

class SpeculativeDecoding final : public Decoding {
 public:
  // `pending`: the prompt's tokens behind what `cache` holds, at least one; they run with the first forward. `former`:
  // an earlier answer in the same place, or the text being edited; may be empty. Borrows network and cache. The answer
  // says of a token what the base says about it, of one that was not read again what its mask row said.
  SpeculativeDecoding(Network& network, KvCache& cache, std::vector<std::int32_t> pending, Answer answer,
                      const DraftOptions& drafts, const SamplingOptions& sampling,
                      std::vector<std::int32_t> former = {}, const Acceptance& acceptance = {});

  void propose(Proposal& proposal) override;
  void absorb(std::span<const kernels::Score> scores) override;
  std::span<Answer> answers() override { return {&answer_, 1}; }
  std::vector<ShownToken> view() const override;
  std::span<const DraftCount> drafts() const override { return counts_; }

 private:
  Draft make_draft();
  void plan_rows();
  void judge(Proposal& proposal, const std::uint64_t* allowed, int position, std::int32_t asked = -1);
  void judge_clean(Proposal& proposal, std::size_t ahead, int position);
  bool stays(std::int32_t token, const kernels::Score& score) const;
  void take(std::int32_t token, const kernels::Score& score);
  void count(std::size_t kept);
  std::span<const kernels::Score> masks_behind(std::size_t kept, std::span<const kernels::Score> scores) const;
  void keep_mask_draft(std::span<const kernels::Score> masks);
  void end_if_sure(std::span<const kernels::Score> masks);
  bool uses_adapter() const { return drafts_.adapter && network_.has_adapter(); }

  Network& network_;
  KvCache& cache_;
  std::vector<std::int32_t> pending_;  // known tokens that have not run, the last of them predicts
  std::vector<std::int32_t> draft_;    // guesses that run with the next forward
  std::vector<int> masks_;             // mask rows that run with it behind 0, 1, ... accepted guesses
  Draft mask_draft_;                   // what those of the last forward said
  Answer answer_;
  DraftOptions drafts_;
  SamplingOptions sampling_;
  Acceptance acceptance_;
  std::vector<std::int32_t> former_;
  std::vector<DraftCount> counts_;
};

}  // namespace cinnabar::engine
