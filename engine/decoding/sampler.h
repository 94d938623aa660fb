// Which candidates a denoising step unmasks or remasks. Pure functions over what the forward says about each judged
// position; no logits, no model. Formulas: Fast-dLLM (2505.22618) threshold and factor; EB-sampler and SDAR entropy
// bound; Dream's `alg` confidences; P2 (2502.03540) remasking.
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

}  // namespace cinnabar::engine
