// Scaled rotary embeddings as divisors of the frequencies: linear interpolation, Llama 3's, YaRN (2309.00071).
#pragma once

#include <string>

#include "base/result.h"
#include "engine/model/model_spec.h"

namespace cinnabar::engine {

// What a configuration says. Zero: not said, where zero is no value.
struct RopeScaling {
  std::string kind = "default";  // default, linear, llama3, yarn
  double factor = 0;             // of the context's growth
  double original_context = 0;   // tokens the embeddings were trained for
  double low = 1, high = 4;      // llama3: turns over the original context below and above which a pair is (not) scaled
  double beta_fast = 32, beta_slow = 1;                 // yarn: the same, high and low
  double magnitude = 0;                                 // yarn: of cosines and sines; 0: by the factor
  double magnitude_scale = 0, magnitude_scale_all = 0;  // yarn: DeepSeek's mscale and mscale_all_dim
  bool whole_pairs = true;                              // yarn: the ramp's ends are whole pairs
};

// Sets the spec's divisors and magnitude; its theta, head size and rotary size are set before. Fails for a kind that
// is not known and for factors that make no sense.
Status scale_rope(const RopeScaling& scaling, ModelSpec& spec);

}  // namespace cinnabar::engine
