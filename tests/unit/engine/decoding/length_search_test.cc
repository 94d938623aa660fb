#include "engine/decoding/length_search.h"

#include <catch2/catch.hpp>
#include <cstdlib>

namespace cinnabar::engine {
namespace {

using Lengths = std::vector<int>;

Lengths round_of(const LengthSearch& search) { return {search.round().begin(), search.round().end()}; }
Lengths found_by(const LengthSearch& search) { return {search.lengths().begin(), search.lengths().end()}; }

// Takes the round, in which `true_length` is as sure as ever and others are less the further away they are.
void take_round(LengthSearch& search, int true_length) {
  std::vector<float> sureness;
  for (const int length : search.round()) {
    const double off = std::abs(length - true_length) / static_cast<double>(true_length);
    sureness.push_back(static_cast<float>(usual_sureness(length) * (1 - off / 10)));
  }
  search.take(sureness);
}

TEST_CASE("lengths double, and then lie around the best one") {
  struct Case {
    int most, true_length;
    std::vector<Lengths> rounds;
    int found;
  };
  for (const Case& test : std::vector<Case>{{128, 13, {{2, 4, 8, 16, 32, 64, 128}, {12, 24}}, 12},
                                            {128, 16, {{2, 4, 8, 16, 32, 64, 128}, {12, 24}}, 16},
                                            {100, 90, {{2, 4, 8, 16, 32, 64, 100}, {75}}, 100},
                                            {6, 3, {{2, 4, 6}, {3}}, 3},
                                            {2, 1, {{2}}, 2},
                                            {1, 1, {{1}}, 1}}) {
    INFO("at most " << test.most << ", really " << test.true_length);
    LengthSearch search({test.most});
    for (const Lengths& round : test.rounds) {
      REQUIRE_FALSE(search.done());
      CHECK(round_of(search) == round);
      take_round(search, test.true_length);
    }
    CHECK(search.done());
    CHECK(found_by(search) == Lengths{test.found});
  }
}

TEST_CASE("of several holes each gets its length in turn, while those behind it have a short one") {
  LengthSearch search({64, 4});
  CHECK(found_by(search) == Lengths{8, 4});
  while (search.hole() == 0) take_round(search, 32);
  CHECK(found_by(search) == Lengths{32, 4});
  while (!search.done()) take_round(search, 2);
  CHECK(found_by(search) == Lengths{32, 2});
}

TEST_CASE("masks of a longer hole are less sure, whatever the text") {
  for (int length = 1; length < 128; ++length) CHECK(usual_sureness(length + 1) < usual_sureness(length));
  CHECK(usual_sureness(1) == Approx(0.938).margin(0.001));
}

}  // namespace
}  // namespace cinnabar::engine
