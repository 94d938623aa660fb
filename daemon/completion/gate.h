// Whether an answer is sure enough to be shown to somebody who has not asked for it. Pure functions over what the model
// said of each token.
//
// The weights and thresholds were fitted to the default model with tests/holes/fit_gate.py; what they gain stands in
// gate.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "engine/request.h"

namespace cinnabar::daemon {

// How much is shown while typing. What a user asks for is always shown.
enum class Eagerness : std::uint8_t {
  eager,     // all there is
  balanced,  // not what is very likely wrong
  quiet,     // what is more likely right than wrong
};
std::optional<Eagerness> parse_eagerness(std::string_view text);  // "eager", "balanced", "quiet"

// The estimated probability, 0 to 1, that the answer is what the user would have written. 1 where nothing is known of
// the tokens.
double sureness(std::span<const engine::InfillToken> tokens);

bool is_sure(std::span<const engine::InfillToken> tokens, Eagerness eagerness);

// How many of the answer's bytes may be shown: all of them when it is sure; else the lines in front of the first
// doubtful token's, when these are sure by themselves; else 0. `text` is the answer, whose bytes `tokens` count.
std::size_t sure_bytes(std::string_view text, std::span<const engine::InfillToken> tokens, Eagerness eagerness);

}  // namespace cinnabar::daemon
