// Block-causal denoising (Fast-dLLM v2 2509.26328, SDAR, BD3LM 2503.09573): blocks of mask rows behind a clean past
// whose keys and values are exact. A step judges the block's masked positions and commits those the rule chooses;
// a finished block runs once more as clean rows, in the same forward as the first step of the next block.
//
// Attention::blocks: blocks tile the sequence from position 0, so the first one begins with the prompt's last tokens,
// and clean rows see to the end of their block. With logits shift 1 the last clean row says a block's first token, which
// is settled before the block's masks run at all, as the model's authors do.
//
// Otherwise with logits shift 1 the row before a position predicts it: the last clean row speaks for the block's first position.
// Where that is the untouched base (a gated adapter), denoising with remasking does better: speculative.h.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/decoding/canvas.h"
#include "engine/decoding/decode.h"
#include "engine/decoding/sampler.h"
#include "engine/forward/kv_cache.h"

namespace cinnabar::engine {

// What is said, and the decoder's defaults; sampling is not said there.
BlockOptions block_options(const DenoiseOptions& said);

class BlockDiffusion final : public Decoding {
 public:
  // As SpeculativeDecoding; the cache needs room for one block behind the answer.
  BlockDiffusion(Network& network, KvCache& cache, std::vector<std::int32_t> pending, Answer answer,
                 const BlockOptions& options);

  void propose(Proposal& proposal) override;
  void absorb(std::span<const kernels::Score> scores) override;
  std::span<Answer> answers() override { return {&answer_, 1}; }
  std::vector<ShownToken> view() const override;

 private:
  void start_block();
  bool tiled() const { return network_.spec().attention == Attention::blocks; }
  // Only clean rows run, and the last of them says the block's first token.
  bool says_first() const;
  void commit(std::span<const Candidate> candidates);
  int quota() const;  // of the step under way
  void settle();

  Network& network_;
  KvCache& cache_;
  std::vector<std::int32_t> pending_;  // clean tokens that have not run
  Answer answer_;
  BlockOptions options_;
  Canvas block_;                              // the block alone: positions 0 .. B-1
  int masked_at_start_ = 0, block_step_ = 0;  // masks that it began with; steps that it has taken
  int settled_ = 0;                           // leading positions of the block that the answer has taken
  std::uint32_t step_ = 0;                    // of the whole decoding; keys the noise
  std::optional<kernels::Score> first_;       // logits shift 1: what the last clean row says about position 0
  std::vector<int> judged_;                   // block positions judged by the forward under way, in the scores' order
};

}  // namespace cinnabar::engine
