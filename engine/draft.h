// Where guesses for the next tokens come from before the model is asked: text that repeats. A draft is verified by the
// model, so a wrong one costs rows and never changes the answer. Pure functions over token ids.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace cinnabar::engine {

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

}  // namespace cinnabar::engine
