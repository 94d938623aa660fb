// How probable a given text is in a place: its tokens run as clean rows and nothing is chosen (teacher forcing). The
// answer is the text, and each of its tokens carries the probability that the model gave it.
//
// Engine thread only.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/decoding/decode.h"
#include "engine/forward/kv_cache.h"

namespace cinnabar::engine {

class TextScoring final : public Decoding {
 public:
  // `pending`: the prompt's tokens that `cache` does not hold yet, at least one. `text`: the tokens to score, at least
  // one. Borrows the cache. For models whose row predicts the token after it (logits_shift 1). At most kScoredRows of the text run in one forward.
  TextScoring(KvCache& cache, std::vector<std::int32_t> pending, std::vector<std::int32_t> text, Answer answer);

  void propose(Proposal& proposal) override;
  void absorb(std::span<const kernels::Score> scores) override;
  std::span<Answer> answers() override { return {&answer_, 1}; }
  std::vector<ShownToken> view() const override;

 private:
  KvCache& cache_;
  std::vector<std::int32_t> pending_;  // known tokens that have not run; the last of them predicts the next of the text
  std::vector<std::int32_t> text_;
  std::size_t scored_ = 0;  // tokens of the text that have their probability
  std::size_t under_way_ = 0;
  Answer answer_;
};
inline constexpr std::size_t kScoredRows = 256;

}  // namespace cinnabar::engine
