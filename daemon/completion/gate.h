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
#include <vector>

#include "daemon/syntax/language.h"
#include "engine/request.h"

namespace cinnabar::daemon {

// How much is shown while typing. What a user asks for is always shown.
enum class Eagerness : std::uint8_t {
  eager,     // all there is
  balanced,  // not what is very likely wrong
  quiet,     // what is more likely right than wrong
};
std::optional<Eagerness> parse_eagerness(std::string_view text);  // "eager", "balanced", "quiet"

// The estimated probability, 0 to 1, that what these tokens spell is what the user would have written. 1 where nothing is
// known of the tokens. Falls with their number: it speaks of a line.
double sureness(std::span<const engine::InfillToken> tokens);

// The same of each line of the answer, blank ones left out: a line end counts to the line that it ends.
struct LineSureness {
  std::size_t end = 0;  // where the line ends in the answer
  double sureness = 1;
};
std::vector<LineSureness> line_sureness(std::string_view text, std::span<const engine::InfillToken> tokens);

// Whether lines of these sureness may be shown: the first is sure by itself, all of them are on the average, and none is
// a mere guess. An answer of several lines is judged as its readers do: by a good start, not by every token of it.
bool is_sure(std::span<const LineSureness> lines, Eagerness eagerness);
bool is_sure(std::string_view text, std::span<const engine::InfillToken> tokens, Eagerness eagerness);

// How many of the answer's bytes may be shown: all of them when it is sure; else its longest beginning of whole
// statements (syntax/cuts.h) that is; else 0. `text` is the answer, whose bytes `tokens` count.
std::size_t sure_bytes(std::string_view text, std::span<const engine::InfillToken> tokens, Eagerness eagerness,
                       const syntax::Language* language = nullptr);

}  // namespace cinnabar::daemon
