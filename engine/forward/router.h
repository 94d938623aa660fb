// Which experts a row goes through, and with what weights.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/model/model_spec.h"

namespace cinnabar::engine {

struct ChosenExpert {
  std::int32_t expert;
  float weight;
};

// Of a row's router logits [X] (and the bias [X] of the choice, or empty): `used` experts, ascending. Scores are
// softmax over all experts or sigmoids; those of the largest score and bias are chosen, ties the first, within the groups
// whose two best are largest together. Weights are the scores without bias, as the spec says divided by their sum, and
// scaled.
std::vector<ChosenExpert> choose_experts(const Experts& experts, std::span<const float> logits,
                                         std::span<const float> bias);

}  // namespace cinnabar::engine
