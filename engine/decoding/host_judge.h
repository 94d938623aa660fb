// Logits that have left the device, worked on and judged as the device does (Backend::score_rows): what only some
// requests ask for, and needs a whole row at once. Pure functions; logits are those of one row [V].
#pragma once

#include <span>

#include "engine/decoding/options.h"
#include "kernels/score.h"

namespace cinnabar::engine {

// Classifier-free guidance (LLaDA 2502.09992): logits becomes u + (w + 1) (logits - u), u: `unguided`, of the same size.
void guide(std::span<float> logits, std::span<const float> unguided, float w);

// The score of a row, of which `sampling` leaves some tokens (SamplingOptions::top_p, top_k). Writes into `logits`: what
// may not be chosen becomes -inf.
kernels::Score judge_logits(std::span<float> logits, const kernels::ScoreRequest& request,
                            const SamplingOptions& sampling);

}  // namespace cinnabar::engine
