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
};

// `parts`: of all runs of one row.
Score combine(std::span<const ScorePart> parts, const ScoreRequest& request);

}  // namespace cinnabar::kernels
