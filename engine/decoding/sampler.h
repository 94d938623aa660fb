// Which candidates a denoising step unmasks or remasks. Pure functions over what the forward says about each judged
// position; no logits, no model. Formulas: Fast-dLLM (2505.22618) threshold and factor; EB-sampler and SDAR entropy
// bound; Dream's `alg` confidences; remasking by P2 (2502.03540), ReMDM (2503.00307) and WINO (2507.18578).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/decoding/options.h"
#include "kernels/backend.h"

namespace cinnabar::engine {

// One judged position.
struct Candidate {
  int position;        // canvas position
  std::int32_t token;  // chosen token
  float probability;   // of the chosen token, among the allowed ones
  float margin;        // best minus second probability
  float entropy;       // nats
};

// The candidate a score describes.
Candidate to_candidate(int position, const kernels::Score& score);

// What draws of positions depend on, and nothing else: a step's number counts from the decoding's first.
struct Chance {
  std::uint64_t seed = 0;
  std::uint32_t step = 0;
};

// Not of Confidence::random, which is no matter of the candidate: 0.
float confidence(const Candidate& candidate, Confidence kind);

// Indices into `candidates` to unmask, ascending by position. `count` is used by `quota`, and by `threshold` as the
// least. Equal confidence: the lower position first. Never empty unless `candidates` is empty or the quota is 0.
std::vector<int> choose(std::span<const Candidate> candidates, const Choice& choice, int count,
                        const Chance& chance = {});

// P2: of all variable positions of a step (masked and unmasked alike) keep the `keep` surest; the others are to be
// masked (again). Indices of those kept, ascending by position.
std::vector<int> keep_surest(std::span<const Candidate> candidates, Confidence kind, int keep);

// A committed position, and how probable its token is: by the step that committed it, or by a later judgement.
struct Committed {
  int position;
  float probability;
};

// The judgement of a position by a score that was asked about its token.
Committed to_committed(int position, const kernels::Score& score);

// Positions to be masked again, ascending: of those less probable than `below` the `count` least probable ones. Equal
// probability: the lower position first. ReMDM asks for a count, WINO for both.
std::vector<int> least_sure(std::span<const Committed> committed, int count, float below = 2);

// WINO: positions that a step commits at most, of so many masked ones.
int widest_step(int masked);

}  // namespace cinnabar::engine
