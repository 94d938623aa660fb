// Where guesses for the next tokens come from before the model is asked, and how a forward's rows are divided among
// them. A draft is verified by the model, so a wrong one costs rows and never changes the answer. Pure functions over
// token ids and probabilities.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace cinnabar::engine {

// Guessed tokens in a row, and for each the probability that it is right, given that those before it are.
struct Draft {
  std::vector<std::int32_t> tokens;
  std::vector<float> probabilities;

  bool empty() const { return tokens.empty(); }
  std::size_t size() const { return tokens.size(); }
  void shorten(std::size_t count);  // to at most `count` tokens
};
// Tokens that are all as sure as one another.
Draft uniform_draft(std::vector<std::int32_t> tokens, float probability);

// What followed the latest earlier occurrence of the context's last tokens inside `context` itself: the longest match
// of at most kLongestMatch tokens wins, at least `shortest_match` (prompt lookup decoding, 2304.04487's copying idea
// without a reference document). A match that reaches back over its own continuation says that the text repeats with
// that period, and the draft goes on repeating it. At most `limit` tokens; empty when nothing matches.
inline constexpr int kLongestMatch = 12;
std::vector<std::int32_t> draft_from_lookup(std::span<const std::int32_t> context, int shortest_match, int limit);

// What followed in a former answer, or in the text being edited: `answer` so far is matched as its beginning; failing
// that, the latest place in `former` where the last tokens (at least `shortest_match`) of `answer` occur.
std::vector<std::int32_t> draft_from_former(std::span<const std::int32_t> former, std::span<const std::int32_t> answer,
                                            int shortest_match, int limit);

// One draft of two sources that know nothing of each other: what both say is surer than each; where they part, the rest
// of which more tokens are expected to be right.
Draft more_confident(const Draft& one, const Draft& other);

// How many tokens of a draft to verify, and how many mask rows to put behind each number of accepted ones (index 0:
// none accepted), for the draft of the forward after.
struct DraftPlan {
  int tokens = 0;
  std::vector<int> masks;
};
// Divides at most `rows` rows so that most tokens are gained: each token and each mask row has a chance to be of use,
// and the best ones get the rows. A row that brings fewer tokens than it costs is left out; `row_cost` is in tokens: a
// row's time over the time of a forward. At most `longest_block` mask rows in one place.
DraftPlan divide_rows(std::span<const float> probabilities, int rows, float row_cost, int longest_block);

}  // namespace cinnabar::engine
