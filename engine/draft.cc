#include "engine/draft.h"

#include <algorithm>

namespace cinnabar::engine {
namespace {

// Number of equal tokens going backwards from text[end_a - 1] and key[end_b - 1], at most `most`.
int match_backwards(std::span<const std::int32_t> text, std::size_t end_a, std::span<const std::int32_t> key,
                    std::size_t end_b, int most) {
  int n = 0;
  while (n < most && end_a > 0 && end_b > 0 && text[end_a - 1] == key[end_b - 1]) {
    --end_a;
    --end_b;
    ++n;
  }
  return n;
}

struct Match {
  std::size_t place;       // index into the text of the token that comes next; the text's size when nothing matches
  std::size_t length = 0;  // tokens before it that match
};

// The longest match of the text up to `last_place` with the end of `key`, the latest of equally long ones.
Match best_match(std::span<const std::int32_t> text, std::span<const std::int32_t> key, int shortest_match,
                 std::size_t last_place) {
  int best = shortest_match - 1;
  Match match{text.size()};
  for (std::size_t at = last_place; at > 0 && best < kLongestMatch; --at) {
    const int length = match_backwards(text, at, key, key.size(), kLongestMatch);
    if (length > best) {
      best = length;
      match = {at, static_cast<std::size_t>(length)};
    }
  }
  return match;
}

std::vector<std::int32_t> tokens_from(std::span<const std::int32_t> text, std::size_t place, int limit) {
  const std::size_t count = std::min(text.size() - place, static_cast<std::size_t>(std::max(limit, 0)));
  return {text.begin() + static_cast<std::ptrdiff_t>(place), text.begin() + static_cast<std::ptrdiff_t>(place + count)};
}

}  // namespace

std::vector<std::int32_t> draft_from_lookup(std::span<const std::int32_t> context, int shortest_match, int limit) {
  if (context.size() < 2) return {};
  const Match match = best_match(context, context, shortest_match, context.size() - 1);
  std::vector<std::int32_t> draft = tokens_from(context, match.place, limit);
  const std::size_t period = context.size() - match.place;
  if (period == 0 || match.length < period) return draft;
  while (draft.size() < static_cast<std::size_t>(std::max(limit, 0))) draft.push_back(draft[draft.size() - period]);
  return draft;
}

std::vector<std::int32_t> draft_from_former(std::span<const std::int32_t> former, std::span<const std::int32_t> answer,
                                            int shortest_match, int limit) {
  if (former.empty()) return {};
  if (answer.size() <= former.size() && std::equal(answer.begin(), answer.end(), former.begin())) {
    return tokens_from(former, answer.size(), limit);
  }
  return tokens_from(former, best_match(former, answer, shortest_match, former.size()).place, limit);
}

}  // namespace cinnabar::engine
