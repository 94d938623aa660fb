#include "engine/decoding/draft.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

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

// Index into the text of the token behind the longest match of the text up to there with the end of `key`, the latest
// of equally long ones; the text's size when nothing matches.
std::size_t best_match(std::span<const std::int32_t> text, std::span<const std::int32_t> key, int shortest_match) {
  int best = shortest_match - 1;
  std::size_t place = text.size();
  for (std::size_t at = text.size(); at > 0 && best < kLongestMatch; --at) {
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

// How often a token followed a match of at least [i] tokens.
struct Followed {
  std::int32_t token;
  std::array<int, kLongestMatch + 1> times{};
};

std::vector<Followed> count_followers(std::span<const std::int32_t> text, int shortest_match) {
  std::vector<std::pair<std::int32_t, int>> found;
  for (std::size_t at = 1; at < text.size(); ++at) {
    const int length = match_backwards(text, at, text, text.size(), kLongestMatch);
    if (length >= shortest_match) found.emplace_back(text[at], length);
  }
  std::sort(found.begin(), found.end());
  std::vector<Followed> followed;
  for (const auto& [token, length] : found) {
    if (followed.empty() || followed.back().token != token) followed.push_back({token});
    for (int i = shortest_match; i <= length; ++i) ++followed.back().times[static_cast<std::size_t>(i)];
  }
  return followed;
}

void sort_falling(Guesses& guesses) {
  std::stable_sort(guesses.begin(), guesses.end(),
                   [](const Guess& a, const Guess& b) { return a.probability > b.probability; });
}

float probability_of(const Guesses& guesses, std::int32_t token) {
  const auto found =
      std::find_if(guesses.begin(), guesses.end(), [&](const Guess& guess) { return guess.token == token; });
  return found == guesses.end() ? 0.0f : found->probability;
}

float left_over(const Guesses& guesses) {
  float left = 1;
  for (const Guess& guess : guesses) left -= guess.probability;
  return std::max(left, 0.0f);
}

}  // namespace

Guesses guess_from_text(std::span<const std::int32_t> text, int shortest_match) {
  // Of each count and of each number of matches, fitted to answers of the default model.
  constexpr float kDiscount = 0.6f, kMore = 0.5f;
  const std::vector<Followed> followed = count_followers(text, std::max(shortest_match, 1));
  std::vector<float> probabilities(followed.size());
  float left = 1;
  for (int length = kLongestMatch; length >= 1; --length) {
    int times = 0, tokens = 0;
    for (const Followed& one : followed) {
      times += one.times[static_cast<std::size_t>(length)];
      tokens += one.times[static_cast<std::size_t>(length)] > 0 ? 1 : 0;
    }
    if (times == 0) continue;
    const float share = left / (static_cast<float>(times) + kMore);
    for (std::size_t i = 0; i < followed.size(); ++i) {
      const int count = followed[i].times[static_cast<std::size_t>(length)];
      if (count > 0) probabilities[i] += share * (static_cast<float>(count) - kDiscount);
    }
    left = share * (kDiscount * static_cast<float>(tokens) + kMore);
  }
  Guesses guesses;
  for (std::size_t i = 0; i < followed.size(); ++i) guesses.push_back({followed[i].token, probabilities[i]});
  sort_falling(guesses);
  return guesses;
}

// A product of both, the masks' to the power of 3/4 and the text's to that of 1/2; what a source does not name gets a
// small share of what it has left over. Fitted to answers of the default model.
Guesses combine(const Guesses& masks, const Guesses& text) {
  constexpr float kOfMasks = 0.03f, kOfText = 0.002f, kUnnamed = 1.5f, kLeast = 1e-4f;
  constexpr std::size_t kFromText = 8;
  if (masks.empty() || text.empty()) return masks.empty() ? text : masks;
  const float masks_left = std::max(left_over(masks), kLeast), text_left = std::max(left_over(text), kLeast);
  const auto product = [](float of_masks, float of_text) { return std::pow(of_masks, 0.75f) * std::sqrt(of_text); };
  const float unnamed_by_masks = std::min(masks.back().probability, kOfMasks * masks_left);
  Guesses both = masks;
  for (std::size_t i = 0; i < std::min(text.size(), kFromText); ++i) {
    if (probability_of(masks, text[i].token) == 0) both.push_back({text[i].token, unnamed_by_masks});
  }
  float sum = kUnnamed * product(masks_left, kOfText * text_left);
  for (Guess& guess : both) {
    guess.probability =
        product(std::max(guess.probability, 1e-6f), probability_of(text, guess.token) + kOfText * text_left);
    sum += guess.probability;
  }
  for (Guess& guess : both) guess.probability /= sum;
  sort_falling(both);
  return both;
}

std::vector<std::int32_t> draft_from_former(std::span<const std::int32_t> former, std::span<const std::int32_t> answer,
                                            int shortest_match, int limit) {
  if (former.empty()) return {};
  if (answer.size() <= former.size() && std::equal(answer.begin(), answer.end(), former.begin())) {
    return tokens_from(former, answer.size(), limit);
  }
  return tokens_from(former, best_match(former, answer, shortest_match), limit);
}

Guesses DraftSources::behind(std::span<const std::int32_t> path) const {
  Guesses text;
  if (shortest_match > 0) {
    std::vector<std::int32_t> all = known;
    all.insert(all.end(), path.begin(), path.end());
    text = guess_from_text(all, shortest_match);
  }
  Guesses guesses = combine(path.size() < masks.size() ? masks[path.size()] : Guesses(), text);
  const auto is_next = [](std::int32_t token, const Guess& next) { return token == next.token; };
  if (path.size() >= continuation.size() || !std::equal(path.begin(), path.end(), continuation.begin(), is_next))
    return guesses;
  const Guess& next = continuation[path.size()];
  std::erase_if(guesses, [&](const Guess& guess) { return guess.token == next.token; });
  for (Guess& guess : guesses) guess.probability *= 1 - next.probability;
  guesses.insert(guesses.begin(), next);
  return guesses;
}

}  // namespace cinnabar::engine
