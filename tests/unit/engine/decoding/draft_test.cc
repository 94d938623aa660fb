#include "engine/decoding/draft.h"

#include <catch2/catch.hpp>

namespace cinnabar::engine {
namespace {

using Ids = std::vector<std::int32_t>;

// The tokens in their order, without their probabilities.
Ids tokens_of(const Guesses& guesses) {
  Ids tokens;
  for (const Guess& guess : guesses) tokens.push_back(guess.token);
  return tokens;
}

void check_sound(const Guesses& guesses) {
  float sum = 0, last = 1;
  for (const Guess& guess : guesses) {
    CHECK(guess.probability > 0);
    CHECK(guess.probability <= last);
    sum += last = guess.probability;
  }
  CHECK(sum < 1);
}

TEST_CASE("text: what followed the same tokens earlier, the longest match first") {
  struct Case {
    Ids text;
    int shortest_match;
    Ids tokens;
  };
  const std::vector<Case> cases = {
      {{1, 2, 3, 4, 5, 9, 1, 2, 3}, 1, {4}},
      {{1, 2, 3, 4, 5, 9, 1, 2, 3}, 3, {4}},
      {{1, 2, 3, 4, 5, 9, 1, 2, 3}, 4, {}},
      {{5, 1, 2, 7, 1, 2, 8, 5, 1, 2}, 2, {7, 8}},  // the longest wins over a later one
      {{5, 2, 7, 6, 2, 8, 5, 2}, 1, {7, 8}},        // a shorter one gets what that leaves
      {{5, 2, 7, 6, 2, 8, 5, 2}, 2, {7}},           // unless it does not count
      {{2, 8, 5, 2, 7, 6, 2, 7, 9, 2}, 1, {7, 8}},  // what followed more often
      {{7, 7, 7, 7}, 1, {7}},                       // a match may reach over its own continuation
      {{}, 1, {}},
      {{1}, 1, {}},
      {{1, 2, 3}, 1, {}},
  };
  for (const Case& c : cases) {
    INFO(c.text.size() << " tokens, at least " << c.shortest_match);
    const Guesses guesses = guess_from_text(c.text, c.shortest_match);
    CHECK(tokens_of(guesses) == c.tokens);
    check_sound(guesses);
  }
}

TEST_CASE("text: longer and more frequent matches are surer") {
  const auto first = [](const Ids& text) { return guess_from_text(text, 1).front().probability; };
  const float once = first({1, 9, 3, 1}), twice = first({1, 9, 1, 9, 3, 1}), longer = first({8, 1, 9, 3, 8, 1});
  CHECK(once > 0.1f);
  CHECK(twice > once);
  CHECK(longer > once);
  CHECK(first(Ids(20, 7)) > 0.9f);
}

TEST_CASE("masks and text: what both name is surer than what one names") {
  const Guesses masks = {{1, 0.5f}, {2, 0.3f}, {3, 0.1f}}, text = {{2, 0.6f}, {4, 0.2f}};
  const Guesses both = combine(masks, text);
  CHECK(tokens_of(both) == Ids{2, 1, 4, 3});
  CHECK(both.front().probability > 0.6f);
  check_sound(both);
  CHECK(combine({}, text) == text);
  CHECK(combine({}, {}).empty());
  CHECK(combine(masks, {}) == masks);
  check_sound(combine({{1, 1.0f}}, {{1, 1.0f}}));  // as sure as rounding has it
}

TEST_CASE("former answer: matched from its beginning") {
  CHECK(draft_from_former(Ids{1, 2, 3, 4}, {}, 3, 10) == Ids{1, 2, 3, 4});
  CHECK(draft_from_former(Ids{1, 2, 3, 4}, Ids{1, 2}, 3, 1) == Ids{3});
  CHECK(draft_from_former(Ids{1, 2}, Ids{1, 2}, 3, 4).empty());
  CHECK(draft_from_former({}, Ids{1, 2}, 3, 4).empty());
}

TEST_CASE("former answer: found again behind a change") {
  CHECK(draft_from_former(Ids{1, 2, 3, 4, 5, 6}, Ids{1, 9, 9, 3, 4, 5}, 3, 4) == Ids{6});
  CHECK(draft_from_former(Ids{1, 2, 3, 4, 5, 6}, Ids{1, 9, 9, 4, 5}, 3, 4).empty());
  CHECK(draft_from_former(Ids{1, 2, 3, 4, 5, 6}, Ids{0, 1, 2, 3, 4, 5, 6}, 3, 4).empty());
}

TEST_CASE("a former answer comes first while the path is its beginning") {
  const DraftSources sources{.known = {5, 6, 5}, .continuation = {{7, 0.9f}, {8, 0.9f}}, .masks = {{{6, 0.8f}}}};
  const Guesses first = sources.behind({});
  CHECK(tokens_of(first) == Ids{7, 6});
  CHECK(first[0].probability == 0.9f);
  CHECK(first[1].probability < 0.1f);
  CHECK(tokens_of(sources.behind(Ids{7})) == Ids{8});
  CHECK(sources.behind(Ids{7, 8}).empty());
  CHECK(tokens_of(sources.behind(Ids{6})) == Ids{5});  // what followed 6 in the text
  CHECK(DraftSources{.known = {5, 6, 5}, .continuation = {}, .masks = {}, .shortest_match = 0}.behind({}).empty());
}

}  // namespace
}  // namespace cinnabar::engine
