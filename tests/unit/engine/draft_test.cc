#include "engine/draft.h"

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

}  // namespace
}  // namespace cinnabar::engine
