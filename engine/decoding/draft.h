// What may come next before the model is asked: guesses for the next tokens, from text that repeats, from a former
// answer and from mask rows. A guess is verified by the model, so a wrong one costs a row and never changes the answer.
// Pure functions over token ids and probabilities; which guesses get rows is for draft_tree.h.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace cinnabar::engine {

// A token that may come next, and the probability that it does.
struct Guess {
  std::int32_t token;
  float probability;
  bool operator==(const Guess&) const = default;
};
// Of one place, in falling order of probability; what is missing to 1 is for tokens that nobody names.
using Guesses = std::vector<Guess>;

// What followed the last tokens of `text` earlier in it. The tokens behind the longest matches, of up to kLongestMatch
// tokens, get most of the probability and leave the rest to those behind shorter ones, down to `shortest_match`:
// prediction by partial matching with absolute discounting. Empty when nothing matches.
inline constexpr int kLongestMatch = 8;
Guesses guess_from_text(std::span<const std::int32_t> text, int shortest_match);

// Two guesses at one place by sources that know different things: a mask row knows the prompt and not the token before
// its own, the text knows the tokens before and nothing else. What both name is surer than what one names.
Guesses combine(const Guesses& masks, const Guesses& text);

// What followed in a former answer, or in the text being edited: `answer` so far is matched as its beginning; failing
// that, the latest place in `former` where the last tokens (at least `shortest_match`) of `answer` occur. At most
// `limit` tokens; empty when nothing matches.
std::vector<std::int32_t> draft_from_former(std::span<const std::int32_t> former, std::span<const std::int32_t> answer,
                                            int shortest_match, int limit);

// All that is known of what comes next.
struct DraftSources {
  std::vector<std::int32_t> known;  // the prompt and the answer so far
  std::vector<Guess> continuation;  // token by token, how it probably goes on: a former answer
  std::vector<Guesses> masks;       // what mask rows said, by place
  int shortest_match = 1;           // 0: the text is not looked at

  // The guesses for the place behind a path of drafted tokens.
  Guesses behind(std::span<const std::int32_t> path) const;
};

}  // namespace cinnabar::engine
