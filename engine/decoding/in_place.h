// Denoising under full attention: [prefix][masks][suffix] on one canvas, every position sees every other (LLaDA
// 2502.09992, Dream 2508.15487, DreamOn 2602.01326). Blocks of the hole are denoised from left to right
// (semi-autoregressive); one block over the whole hole gives Dream's order.
//
// Several holes of one canvas are denoised together: every forward works at the block under way of each of them, which
// sees what the others hold by then.
//
// Committed positions may be masked again (Remask). WINO judges them by a second row of masks for the blocks under way,
// stored behind the canvas: they stand at the blocks' positions and see all of the canvas but the token in their own
// place, and one another; the canvas does not see them.
//
// Keys and values of a changed canvas are exact only when everything is recomputed; the named modes trade that for
// speed (Fast-dLLM 2505.22618). Only `exact` is used by golden tests.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/decoding/canvas.h"
#include "engine/decoding/decode.h"
#include "engine/decoding/sampler.h"
#include "engine/forward/kv_cache.h"

namespace cinnabar::engine {

// What is said, and the decoder's defaults; sampling and whether the model expands are not said there.
InPlaceOptions in_place_options(const DenoiseOptions& said);

class InPlaceDiffusion final : public Decoding {
 public:
  // An answer for each hole of the canvas. The cache needs room for the canvas and its growth, under WINO for another
  // block of each hole, which needs a model without logits shift. Its tokens are not used:
  // in-place reuse is within one answer. `unguided`: another one with as much room, for guidance; null without.
  InPlaceDiffusion(Network& network, KvCache& cache, Canvas canvas, std::vector<Answer> answers,
                   const InPlaceOptions& options, KvCache* unguided = nullptr);

  void propose(Proposal& proposal) override;
  void absorb(std::span<const kernels::Score> scores) override;
  std::span<Answer> answers() override { return answers_; }
  void stop(StopReason reason) override;
  std::vector<ShownToken> view() const override;
  const Canvas& canvas() const { return canvas_; }

 private:
  // What is under way in a hole.
  struct Block {
    int at = 0;                                   // its first position, counted from the hole's
    int step = 0;                                 // within the block
    int masked_at_start = 0;                      // for the even quota
    int committed_last = 0;                       // WINO: positions that the last step committed
    int masked_again = 0;                         // ReMDM: steps that were begun by masking again
    bool replaces = false;                        // ReMDM: this step is one of them
    std::vector<std::uint64_t> open, open_first;  // tokens that may be chosen in the forward under way
  };
  struct Judged {
    std::size_t hole;
    int position;
    bool committed;  // WINO: the token that stands there
  };
  // What a forward says of a hole's block.
  struct Said {
    std::vector<Candidate> candidates;
    std::vector<Committed> committed;  // WINO
  };

  bool is_open(std::size_t hole) const { return !answers_[hole].complete(); }
  int block_begin(std::size_t hole) const { return canvas_.hole_begin(hole) + blocks_[hole].at; }
  int block_end(std::size_t hole) const;
  void start_block(std::size_t hole);
  std::vector<std::uint64_t> allowed(std::size_t hole, std::span<const std::int32_t> ahead);
  void judge(Proposal& proposal, std::size_t hole, int position);
  void add_second_masks(Proposal& proposal, std::span<const std::size_t> open);
  void add_unguided(Proposal& proposal) const;
  // Works at one hole after a forward.
  void step(std::size_t hole, const Said& said);
  int steps_of(std::size_t hole) const;
  std::vector<int> chosen(std::size_t hole, std::span<const Candidate> candidates) const;
  void apply(std::size_t hole, std::span<const Candidate> candidates);
  void apply_length_change(std::size_t hole, int position, std::int32_t token);
  // P2: keeps the surest share of the block, which grows from step to step, and masks the rest again.
  void keep(std::size_t hole, std::span<const Candidate> candidates);
  void mask_least_sure(std::size_t hole);                 // ReMDM
  void mask_doubted(std::size_t hole, const Said& said);  // WINO
  void finish(std::size_t hole, StopReason reason);

  Network& network_;
  KvCache& cache_;
  KvCache* unguided_;
  Canvas canvas_;
  std::vector<Answer> answers_;
  InPlaceOptions options_;
  std::vector<Block> blocks_;  // one a hole
  std::uint32_t steps_done_ = 0;
  std::vector<Judged> judged_;
};

}  // namespace cinnabar::engine
