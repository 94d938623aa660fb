#include "engine/model/rope_scaling.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace cinnabar::engine {
namespace {

double frequency(const ModelSpec& spec, int pair, int rotary) {
  return std::pow(static_cast<double>(spec.rope_theta), -2.0 * pair / rotary);
}

// Long waves are stretched by the factor, short ones stay, those between are mixed.
double llama3_divisor(const RopeScaling& s, double frequency) {
  const double turns = s.original_context * frequency / (2 * std::numbers::pi);
  if (turns < s.low) return s.factor;
  if (turns > s.high) return 1;
  const double kept = (turns - s.low) / (s.high - s.low);
  return 1 / ((1 - kept) / s.factor + kept);
}

// The pair, a real number, that turns so often over the original context.
double pair_of_turns(const RopeScaling& s, const ModelSpec& spec, int rotary, double turns) {
  return rotary * std::log(s.original_context / (turns * 2 * std::numbers::pi)) / (2 * std::log(spec.rope_theta));
}

void scale_yarn(const RopeScaling& s, int rotary, ModelSpec& spec) {
  double low = pair_of_turns(s, spec, rotary, s.beta_fast), high = pair_of_turns(s, spec, rotary, s.beta_slow);
  if (s.whole_pairs) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, rotary - 1.0);
  if (low == high) high += 0.001;
  for (int pair = 0; pair < rotary / 2; ++pair) {
    const double stretched = std::clamp((pair - low) / (high - low), 0.0, 1.0);
    spec.rope_divisors.push_back(static_cast<float>(1 / (stretched / s.factor + 1 - stretched)));
  }
  const auto magnitude = [&](double scale) { return s.factor <= 1 ? 1 : 0.1 * scale * std::log(s.factor) + 1; };
  double chosen = magnitude(1);
  if (s.magnitude_scale > 0 && s.magnitude_scale_all > 0)
    chosen = magnitude(s.magnitude_scale) / magnitude(s.magnitude_scale_all);
  spec.rope_magnitude = static_cast<float>(s.magnitude > 0 ? s.magnitude : chosen);
}

}  // namespace

Status scale_rope(const RopeScaling& s, ModelSpec& spec) {
  spec.rope_divisors.clear();
  if (s.kind == "default") return {};
  if (s.kind != "linear" && s.kind != "llama3" && s.kind != "yarn")
    return Status::error("scaled rotary embeddings of the kind '" + s.kind.substr(0, 40) +
                         "' are not supported; linear, llama3 and yarn are");
  if (!(s.factor >= 1 && std::isfinite(s.factor)))
    return Status::error("factor: expected a number from 1, found " + std::to_string(s.factor));
  if (!(s.original_context >= 1 && s.high > s.low && s.low > 0 && s.beta_fast > 0 && s.beta_slow > 0))
    return Status::error("the factors of scaled rotary embeddings contradict each other");
  const int rotary = spec.rotary > 0 ? spec.rotary : spec.head_size;
  if (rotary < 2 || rotary > 1024 || !(spec.rope_theta > 1)) return {};  // which validate() refuses
  if (s.kind == "yarn") {
    scale_yarn(s, rotary, spec);
    return {};
  }
  for (int pair = 0; pair < rotary / 2; ++pair) {
    const double divisor = s.kind == "linear" ? s.factor : llama3_divisor(s, frequency(spec, pair, rotary));
    spec.rope_divisors.push_back(static_cast<float>(divisor));
  }
  return {};
}

}  // namespace cinnabar::engine
