// Whether an answer is sure enough to be shown to somebody who has not asked for it. Pure functions over what the model
// said of each token.
//
// What weighs how much is fitted to a model with tests/holes/fit_gate.py; its description may bring that
// (daemon/models/description.h).
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

// From a line's tokens to its probability: a logistic regression over the sum of log p, the least log p, the least margin
// and log(tokens); and how probable a line has to be. The values here were fitted to the default model, on 327 whole answers
// (verified, int8, 21 November 2026), most of them one line. With them, of the 271 blind answers with a text
// (tests/holes/blind_answers.jsonl)
//   one line       145 of 215 are shown, 79 of the 83 right ones among them
//   several lines   27 of 56 are shown, 18 of the 20 with a right first line among them
struct GateWeights {
  double constant = -0.461, sum = 0.535, least = 0.477, least_margin = 1.740, log_tokens = -0.031;
  double balanced = 0.159, quiet = 0.506;
};

// The estimated probability, 0 to 1, that what these tokens spell is what the user would have written. 1 where nothing is
// known of the tokens. Falls with their number: it speaks of a line.
double sureness(std::span<const engine::InfillToken> tokens, const GateWeights& weights = {});

// The same of each line of the answer, blank ones left out: a line end counts to the line that it ends.
struct LineSureness {
  std::size_t end = 0;  // where the line ends in the answer
  double sureness = 1;
};
std::vector<LineSureness> line_sureness(std::string_view text, std::span<const engine::InfillToken> tokens,
                                        const GateWeights& weights = {});

// Whether lines of these sureness may be shown: the first is sure by itself, all of them are on the average, and none is
// a mere guess. An answer of several lines is judged as its readers do: by a good start, not by every token of it.
bool is_sure(std::span<const LineSureness> lines, Eagerness eagerness, const GateWeights& weights = {});
bool is_sure(std::string_view text, std::span<const engine::InfillToken> tokens, Eagerness eagerness,
             const GateWeights& weights = {});

// How many of the answer's bytes may be shown: all of them when it is sure; else its longest beginning of whole
// statements (syntax/cuts.h) that is; else 0. `text` is the answer, whose bytes `tokens` count.
std::size_t sure_bytes(std::string_view text, std::span<const engine::InfillToken> tokens, Eagerness eagerness,
                       const syntax::Language* language = nullptr, const GateWeights& weights = {});

// How many bytes of an answer that may not be shown are a sure name, or path of names (`self.items`), at its beginning:
// to its last word's end. 0: there is none of two letters or more, or who wants quiet does not want it.
std::size_t sure_name_bytes(std::string_view text, std::span<const engine::InfillToken> tokens, Eagerness eagerness);

}  // namespace cinnabar::daemon
