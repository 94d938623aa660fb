// The judgement of a row's logits from summaries of runs of them: what the backends' score_rows have in common. A
// device summarises each run, wherever it computes it; the summaries are combined here in ascending order, in double,
// so a row's score does not depend on threads or other rows.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

#include "kernels/backend.h"
#include "kernels/logit_summary.h"

namespace cinnabar::kernels {

inline constexpr std::int64_t kScoreRun = 256;  // logits
inline constexpr float kNever = -std::numeric_limits<float>::infinity();

struct ScorePart {
  LogitSummary summary{};
  // The run's winner of logit / temperature + noise, a token of the vocabulary; -1: none.
  std::int32_t sampled = -1;
  float sampled_key = kNever;
  float sampled_logit = 0;
  float asked_logit = kNever;  // of ScoreRequest::asked, in the run where that lies if it is allowed
  RankedTokens ranked{};       // the run's, tokens of the vocabulary, where ScoreRequest::ranked asks for them
};

// Puts a token where it belongs among those ranked so far; of equal logits the earlier caller's stands first.
inline void rank(RankedTokens& ranked, RankedToken token) {
  if (!(token.logit > ranked.back().logit)) return;
  std::size_t at = ranked.size() - 1;
  for (; at > 0 && token.logit > ranked[at - 1].logit; --at) ranked[at] = ranked[at - 1];
  ranked[at] = token;
}

// `parts`: of all runs of one row.
Score combine(std::span<const ScorePart> parts, const ScoreRequest& request);

}  // namespace cinnabar::kernels
