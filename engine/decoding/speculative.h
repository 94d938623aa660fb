// Autoregressive decoding, alone or sped up by verified drafts: a tree of guesses for the next tokens runs as clean rows
// behind the pending token (draft_tree.h); of its main chain the longest run that agrees with the model's own choices is
// accepted, and with it the model's next token. The result equals plain autoregressive decoding token for token, whatever
// the drafts were (speculative decoding, 2211.17192, with deterministic choices: greedy, or sampled with noise that
// depends on the position alone).
//
// Where the model's choice is a side chain's token, what the side chain's rows say becomes an almost sure draft of the
// next forward and is no answer yet: its slots are not the ones that the tokens get, and some backends sum attention in
// an order that depends on the slot (in pairs of bf16). That costs an answer one forward at most, in its end.
//
// With a gated adapter the draft for the next forward comes out of this one: blocks of mask rows stand behind the nodes
// of the tree that may turn out to be the last right ones (TiDAR 2511.08923, 2507.11851).
//
// The same rows are denoising with remasking where an Acceptance says so: what the masks said is provisional text. The
// next forward reads it as clean rows and keeps what the base finds plausible; from the first token on that it does
// not, the text is masked again. Text that is sure and completes the answer is not read again at all.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/decoding/decode.h"
#include "engine/decoding/draft_tree.h"
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
  // Where a node of the tree stands in the forward under way.
  struct Place {
    int slot = 0, masks_slot = 0;            // of its row, and of the first mask row behind it
    std::size_t score = 0, masks_score = 0;  // indices of what is said of them
    kernels::SlotRange hidden = {};          // what its row does not see
  };
  void plan_rows();
  void lay_out(int first_slot);
  void add_row(Proposal& proposal, int node, int first_position);
  void add_masks(Proposal& proposal, int node, int first_position);
  void judge(Proposal& proposal, const kernels::ScoreRequest& request, int position) const;
  bool stays(std::int32_t token, const kernels::Score& score) const;
  void take(std::int32_t token, const kernels::Score& score);
  int accept(std::span<const kernels::Score> scores);
  void count(int last);
  int follow_side_chain(int node, std::span<const kernels::Score> scores);
  Guesses guesses_of(const kernels::Score& mask) const;
  void keep_masks_behind(int node, std::span<const kernels::Score> scores);
  std::span<const kernels::Score> masks_behind(int node, std::span<const kernels::Score> scores) const;
  void end_if_sure(std::span<const kernels::Score> masks);
  bool uses_adapter() const { return drafts_.adapter && network_.has_adapter(); }
  const DraftNode& node(int index) const { return tree_.nodes[static_cast<std::size_t>(index)]; }

  Network& network_;
  KvCache& cache_;
  std::vector<std::int32_t> pending_;  // known tokens that have not run, the last of them predicts
  DraftTree tree_;                     // guesses that run with the next forward, and masks behind them
  std::vector<Place> places_;          // of its nodes
  std::vector<Guess> almost_sure_;     // what a side chain of the last forward said of the next tokens
  std::vector<Guesses> mask_guesses_;  // what its masks said of those behind them
  Answer answer_;
  DraftOptions drafts_;
  SamplingOptions sampling_;
  Acceptance acceptance_;
  std::vector<std::int32_t> former_;
  std::vector<DraftCount> counts_;
};

}  // namespace cinnabar::engine
