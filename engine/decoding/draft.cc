#include "engine/decoding/draft.h"

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

// Tokens from `from` on that are expected to be right.
float expected(const Draft& draft, std::size_t from) {
  float reached = 1, sum = 0;
  for (std::size_t i = from; i < draft.size(); ++i) sum += reached *= draft.probabilities[i];
  return sum;
}

// The chance that a mask row of a block is right and all before it are, by its place. For the default model's adapter
// (training/README.md) between what it reaches over all places of held-out continuations, 3.7 of eight rows, and where
// the program drafts, behind a draft that failed as a rule: 66, 47, 34, 24, 16, 9, 6, 3 %.
constexpr float kMaskUse[] = {0.80f, 0.62f, 0.48f, 0.36f, 0.27f, 0.20f, 0.14f, 0.10f};

}  // namespace

void Draft::shorten(std::size_t count) {
  if (count >= tokens.size()) return;
  tokens.resize(count);
  probabilities.resize(count);
}

Draft uniform_draft(std::vector<std::int32_t> tokens, float probability) {
  std::vector<float> probabilities(tokens.size(), probability);
  return {std::move(tokens), std::move(probabilities)};
}

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

Draft more_confident(const Draft& one, const Draft& other) {
  const std::size_t both = std::min(one.size(), other.size());
  std::size_t same = 0;
  while (same < both && one.tokens[same] == other.tokens[same]) ++same;
  Draft draft = expected(one, same) >= expected(other, same) ? one : other;
  for (std::size_t i = 0; i < same; ++i) {
    draft.probabilities[i] = 1 - (1 - one.probabilities[i]) * (1 - other.probabilities[i]);
  }
  return draft;
}

DraftPlan divide_rows(std::span<const float> probabilities, int rows, float row_cost, int longest_block) {
  const auto longest = static_cast<std::size_t>(std::clamp(rows, 0, static_cast<int>(probabilities.size())));
  std::vector<float> reached{1};  // [i]: the chance that the first i tokens are right
  while (reached.size() <= longest && reached.back() * probabilities[reached.size() - 1] > row_cost) {
    reached.push_back(reached.back() * probabilities[reached.size() - 1]);
  }
  DraftPlan plan;
  plan.masks.assign(reached.size(), 0);
  const auto use_of_mask = [&](std::size_t accepted) {
    const auto place = static_cast<std::size_t>(plan.masks[accepted]);
    if (plan.masks[accepted] >= longest_block) return 0.0f;
    const float further = static_cast<int>(accepted) < plan.tokens ? reached[accepted + 1] : 0.0f;
    // What a mask says has to be verified by a further row.
    return (reached[accepted] - further) * kMaskUse[std::min(place, std::size(kMaskUse) - 1)] - row_cost;
  };
  for (; rows > 0; --rows) {
    const auto next = static_cast<std::size_t>(plan.tokens) + 1;
    const float token = next < reached.size() ? reached[next] : 0.0f;
    std::size_t best = 0;
    for (std::size_t i = 1; i < next; ++i) best = use_of_mask(i) > use_of_mask(best) ? i : best;
    if (std::max(token, use_of_mask(best)) <= row_cost) break;
    if (token >= use_of_mask(best)) {
      ++plan.tokens;
    } else {
      ++plan.masks[best];
    }
  }
  plan.masks.resize(static_cast<std::size_t>(plan.tokens) + 1);
  return plan;
}

}  // namespace cinnabar::engine
