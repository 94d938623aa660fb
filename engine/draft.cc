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

// The place in text (an index whose token comes next) where the longest match with the end of `key` stops, latest
// first.
std::size_t best_continuation(std::span<const std::int32_t> text, std::span<const std::int32_t> key, int shortest_match,
                              std::size_t last_place) {
  int best = shortest_match - 1;
  std::size_t place = text.size();
  for (std::size_t at = last_place; at > 0 && best < kLongestMatch; --at) {
    const int length = match_backwards(text, at, key, key.size(), kLongestMatch);
    if (length > best) {
      best = length;
      place = at;
    }
  }
  return place;
}

std::vector<std::int32_t> tokens_from(std::span<const std::int32_t> text, std::size_t place, int limit) {
  const std::size_t count = std::min(text.size() - place, static_cast<std::size_t>(std::max(limit, 0)));
  return {text.begin() + static_cast<std::ptrdiff_t>(place), text.begin() + static_cast<std::ptrdiff_t>(place + count)};
}

}  // namespace

std::vector<std::int32_t> draft_from_lookup(std::span<const std::int32_t> context, int shortest_match, int limit) {
  if (context.size() < 2) return {};
  return tokens_from(context, best_continuation(context, context, shortest_match, context.size() - 1), limit);
}

std::vector<std::int32_t> draft_from_former(std::span<const std::int32_t> former, std::span<const std::int32_t> answer,
                                            int shortest_match, int limit) {
  if (former.empty()) return {};
  if (answer.size() <= former.size() && std::equal(answer.begin(), answer.end(), former.begin())) {
    return tokens_from(former, answer.size(), limit);
  }
  return tokens_from(former, best_continuation(former, answer, shortest_match, former.size()), limit);
}

}  // namespace cinnabar::engine
