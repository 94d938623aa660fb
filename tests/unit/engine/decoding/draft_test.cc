#include "engine/decoding/draft.h"

#include <catch2/catch.hpp>

namespace cinnabar::engine {
namespace {

using Ids = std::vector<std::int32_t>;

TEST_CASE("lookup: what followed the same tokens earlier") {
  CHECK(draft_from_lookup(Ids{1, 2, 3, 4, 5, 9, 1, 2, 3}, 3, 10) == Ids{4, 5, 9, 1, 2, 3});
  CHECK(draft_from_lookup(Ids{1, 2, 3, 4, 5, 9, 1, 2, 3}, 3, 2) == Ids{4, 5});
  CHECK(draft_from_lookup(Ids{1, 2, 3, 4, 5, 9, 1, 2, 3}, 3, 0).empty());
  CHECK(draft_from_lookup(Ids{1, 2, 3, 4, 5, 9, 1, 2, 3}, 4, 10).empty());
}

TEST_CASE("lookup: of equally long matches the latest") {
  CHECK(draft_from_lookup(Ids{1, 2, 7, 1, 2, 8, 1, 2}, 2, 1) == Ids{8});
}

TEST_CASE("lookup: the longest match wins over a later one") {
  CHECK(draft_from_lookup(Ids{5, 1, 2, 7, 1, 2, 8, 5, 1, 2}, 2, 1) == Ids{7});
}

TEST_CASE("lookup: nothing to look in") {
  CHECK(draft_from_lookup({}, 1, 4).empty());
  CHECK(draft_from_lookup(Ids{1}, 1, 4).empty());
  CHECK(draft_from_lookup(Ids{1, 2, 3}, 1, 4).empty());
}

TEST_CASE("lookup: text that repeats with a period goes on") {
  CHECK(draft_from_lookup(Ids{7, 7, 7, 7}, 2, 1) == Ids{7});
  CHECK(draft_from_lookup(Ids{7, 7, 7, 7}, 2, 5) == Ids{7, 7, 7, 7, 7});
  CHECK(draft_from_lookup(Ids(20, 7), 3, 12) == Ids(12, 7));
  CHECK(draft_from_lookup(Ids{5, 1, 2, 1, 2, 1}, 2, 5) == Ids{2, 1, 2, 1, 2});
  CHECK(draft_from_lookup(Ids{1, 2, 3, 1, 2, 3}, 3, 7) == Ids{1, 2, 3, 1, 2, 3, 1});
  CHECK(draft_from_lookup(Ids{7, 7, 7, 7}, 2, 0).empty());
}

TEST_CASE("lookup: a match shorter than the period is continued to the end of what is there") {
  CHECK(draft_from_lookup(Ids{1, 2, 8, 9, 1, 2}, 2, 12) == Ids{8, 9, 1, 2});
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

TEST_CASE("two drafts: what both say is surer, then the one of which more is expected") {
  const Draft masks{{1, 2, 3}, {0.9f, 0.8f, 0.5f}};
  const auto tokens = [&](const Draft& other) { return more_confident(masks, other).tokens; };
  CHECK(tokens({}) == masks.tokens);
  CHECK(more_confident({}, masks).tokens == masks.tokens);
  CHECK(more_confident({}, {}).empty());
  CHECK(tokens(uniform_draft({7, 8, 9}, 0.5f)) == masks.tokens);
  CHECK(tokens(uniform_draft({7, 8, 9, 10}, 0.9f)) == Ids{7, 8, 9, 10});
  CHECK(tokens(uniform_draft({1, 2, 9}, 0.4f)) == masks.tokens);
  CHECK(tokens(uniform_draft({1, 2, 9, 9}, 0.6f)) == Ids{1, 2, 9, 9});
  CHECK(tokens(uniform_draft({1, 2, 3, 4, 5}, 0.7f)) == Ids{1, 2, 3, 4, 5});
  const Draft both = more_confident(masks, uniform_draft({1, 2, 9}, 0.5f));
  REQUIRE(both.probabilities.size() == 3);
  CHECK(both.probabilities[0] == Approx(0.95f));
  CHECK(both.probabilities[1] == Approx(0.9f));
  CHECK(both.probabilities[2] == Approx(0.5f));
}

TEST_CASE("rows go where they are of most use") {
  struct Case {
    std::vector<float> probabilities;
    int rows, longest_block, tokens;
    std::vector<int> masks;
  };
  const std::vector<Case> cases = {
      {{}, 3, 8, 0, {3}},                    // nothing to verify: a block behind what is known
      {{}, 30, 8, 0, {8}},                   // not longer than it was trained for
      {{}, 0, 8, 0, {0}},                    //
      {{0.99f, 0.99f}, 2, 8, 2, {0, 0, 0}},  // sure tokens first
      {{0.99f, 0.99f}, 5, 8, 2, {0, 0, 3}},  // then masks behind all of them
      {{0.3f}, 2, 8, 0, {2}},                // an unlikely token waits for the masks' first rows
      {{0.01f, 0.99f}, 40, 8, 0, {8}},       // what hardly ever holds is not verified
      {{0.5f, 0.5f}, 40, 4, 2, {4, 4, 4}},   // rows for every outcome
      {{1, 1, 1, 1, 1, 1}, 4, 8, 4, {0, 0, 0, 0, 0}},
  };
  for (const Case& c : cases) {
    INFO(c.rows << " rows, first probability " << (c.probabilities.empty() ? 0 : c.probabilities[0]));
    const DraftPlan plan = divide_rows(c.probabilities, c.rows, 0.02f, c.longest_block);
    CHECK(plan.tokens == c.tokens);
    CHECK(plan.masks == c.masks);
  }
}

}  // namespace
}  // namespace cinnabar::engine
