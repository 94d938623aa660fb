// Autoregressive decoding, alone or sped up by verified drafts: guesses for the next tokens run as clean rows behind
// the pending token; the longest run that agrees with the model's own choices is accepted, and with it the model's next
// token. The result equals plain autoregressive decoding token for token, whatever the drafts were (speculative
// decoding, 2211.17192, with deterministic choices: greedy, or sampled with noise that depends on the position alone).
//
// With a gated adapter the draft for the next forward comes out of this one: blocks of mask rows stand behind every
// number of draft tokens that may turn out to be accepted (TiDAR 2511.08923, 2507.11851).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/decode.h"
#include "engine/draft.h"
#include "engine/kv_cache.h"

namespace cinnabar::engine {

struct DraftOptions {
  bool lookup = true;      // what followed the same tokens earlier in the prompt or the answer
  bool adapter = true;     // mask rows under the gated adapter, where the model has one
  int limit = -1;          // draft tokens a forward; -1: what the device runs nearly for free, twelve at most
  int shortest_match = 3;  // tokens that must agree before a lookup is believed
  int mask_rows = -1;      // draft tokens and mask rows together, where there are mask rows; -1: as for limit
};
inline constexpr DraftOptions kNoDraft{.lookup = false, .adapter = false};

// How tokens are chosen; see kernels::ScoreRequest.
struct SamplingOptions {
  float temperature = 0;
  std::uint64_t seed = 0;
};

class VerifiedDecoding final : public Decoding {
 public:
  // `pending`: the prompt's tokens behind what `cache` holds, at least one; they run with the first forward. `former`:
  // an earlier answer in the same place, or the text being edited; may be empty. Borrows network and cache.
  VerifiedDecoding(Network& network, KvCache& cache, std::vector<std::int32_t> pending, Answer answer,
                   const DraftOptions& drafts, const SamplingOptions& sampling, std::vector<std::int32_t> former = {});

  void propose(Proposal& proposal) override;
  void absorb(std::span<const kernels::Score> scores) override;
  std::span<Answer> answers() override { return {&answer_, 1}; }
  std::vector<ShownToken> view() const override;
  std::span<const DraftCount> drafts() const override { return counts_; }

 private:
  Draft make_draft();
  void plan_rows();
  void judge(Proposal& proposal, std::span<const std::int32_t> ahead, int position, bool in_block = false);
  void count(std::size_t agreed);
  void keep_mask_draft(std::span<const kernels::Score> masks);
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
  std::vector<std::int32_t> former_;
  std::vector<DraftCount> counts_;
};

}  // namespace cinnabar::engine
