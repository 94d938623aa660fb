#include "engine/decoding/sampler.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

namespace cinnabar::engine {
namespace {

Candidate sure(int position, float probability) { return {position, 0, probability, probability, 1.0f - probability}; }
Candidate with_entropy(int position, float entropy) { return {position, 0, 0.5f, 0.5f, entropy}; }

struct Case {
  std::string name;
  std::vector<Candidate> candidates;
  Choice choice;
  int count;
  std::vector<int> expected;
};

const std::vector<Case> kCases = {
    {"threshold: all that reach it, by position",
     {sure(5, 0.95f), sure(2, 0.9f), sure(3, 0.5f)},
     {Rule::threshold},
     0,
     {1, 0}},
    {"threshold: at least the best", {sure(1, 0.2f), sure(2, 0.6f)}, {Rule::threshold}, 0, {1}},
    {"threshold: at most one when none reaches it", {sure(1, 0.6f), sure(2, 0.6f)}, {Rule::threshold}, 0, {0}},
    {"threshold: nothing judged", {}, {Rule::threshold}, 0, {}},
    {"threshold: with a count, at least so many",
     {sure(1, 0.2f), sure(2, 0.95f), sure(3, 0.6f)},
     {Rule::threshold},
     2,
     {1, 2}},
    {"threshold: with a count, more where more reach it",
     {sure(1, 0.92f), sure(2, 0.95f), sure(3, 0.6f)},
     {Rule::threshold},
     1,
     {0, 1}},
    // factor 1: rank 2 needs 1 - 1/3, rank 3 needs 1 - 1/4
    {"factor: stops at the first that fails",
     {sure(1, 0.7f), sure(2, 0.99f), sure(3, 0.74f), sure(4, 0.1f)},
     {Rule::factor, Confidence::probability, 1.0f},
     0,
     {1, 2}},
    {"factor: three pass",
     {sure(1, 0.8f), sure(2, 0.99f), sure(3, 0.76f)},
     {Rule::factor, Confidence::probability, 1.0f},
     0,
     {0, 1, 2}},
    {"factor: rank 1 always", {sure(1, 0.01f), sure(2, 0.005f)}, {Rule::factor, Confidence::probability, 0.5f}, 0, {0}},
    {"quota: the surest", {sure(1, 0.1f), sure(2, 0.3f), sure(3, 0.2f)}, {Rule::quota}, 2, {1, 2}},
    {"quota: equal ones, lower position first",
     {sure(4, 0.3f), sure(2, 0.3f), sure(3, 0.3f)},
     {Rule::quota},
     2,
     {1, 2}},
    {"quota: none", {sure(1, 0.9f)}, {Rule::quota}, 0, {}},
    {"quota: negative is none", {sure(1, 0.9f)}, {Rule::quota}, -1, {}},
    {"quota: more than there are", {sure(1, 0.9f)}, {Rule::quota}, 5, {0}},
    {"entropy bound: running sum",
     {with_entropy(1, 0.5f), with_entropy(2, 0.125f), with_entropy(3, 0.25f)},
     {Rule::entropy_bound, Confidence::probability, 0.375f},
     0,
     {1, 2}},
    {"entropy bound: at least one",
     {with_entropy(1, 2.0f), with_entropy(2, 1.0f)},
     {Rule::entropy_bound, Confidence::probability, 0.1f},
     0,
     {1}},
};

TEST_CASE("choose") {
  for (const Case& c : kCases) {
    INFO(c.name);
    CHECK(choose(c.candidates, c.choice, c.count) == c.expected);
  }
}

TEST_CASE("ranking by margin and by entropy differs from ranking by probability") {
  const std::vector<Candidate> candidates = {
      {1, 0, 0.6f, 0.1f, 0.9f}, {2, 0, 0.5f, 0.4f, 0.8f}, {3, 0, 0.4f, 0.3f, 0.1f}};
  CHECK(choose(candidates, {Rule::quota, Confidence::probability}, 1) == std::vector<int>{0});
  CHECK(choose(candidates, {Rule::quota, Confidence::margin}, 1) == std::vector<int>{1});
  CHECK(choose(candidates, {Rule::quota, Confidence::negative_entropy}, 1) == std::vector<int>{2});
}

TEST_CASE("keep_surest keeps the surest, by position") {
  const std::vector<Candidate> candidates = {sure(9, 0.8f), sure(1, 0.2f), sure(4, 0.9f)};
  CHECK(keep_surest(candidates, Confidence::probability, 2) == std::vector<int>{2, 0});
  CHECK(keep_surest(candidates, Confidence::probability, 0).empty());
  CHECK(keep_surest(candidates, Confidence::probability, 9).size() == 3);
}

TEST_CASE("least_sure gives the least probable ones below a bound, by position") {
  const std::vector<Committed> committed = {{9, 0.3f}, {2, 0.8f}, {5, 0.3f}, {7, 0.1f}, {1, 0.95f}};
  struct Doubted {
    int count;
    float below;
    std::vector<int> expected;
  };
  for (const Doubted& test : std::vector<Doubted>{{2, 2, {5, 7}},  // equal ones: the lower position
                                                  {9, 2, {1, 2, 5, 7, 9}},
                                                  {9, 0.9f, {2, 5, 7, 9}},
                                                  {3, 0.2f, {7}},
                                                  {2, 0.1f, {}},
                                                  {0, 2, {}},
                                                  {-1, 2, {}}}) {
    INFO(test.count << " below " << test.below);
    CHECK(least_sure(committed, test.count, test.below) == test.expected);
  }
  CHECK(least_sure({}, 3).empty());
}

TEST_CASE("WINO's widest step: 7 of 10 masks, 5 at least, 20 at most") {
  for (const auto& [masked, most] : std::vector<std::pair<int, int>>{{1, 5}, {8, 5}, {9, 6}, {12, 8}, {32, 20}})
    CHECK(widest_step(masked) == most);
}

TEST_CASE("a score that was asked about a token says how probable it is") {
  kernels::Score score;
  score.log_sum_exp = 3.0f;
  score.asked_logit = 1.0f;
  CHECK(to_committed(4, score).position == 4);
  CHECK(to_committed(4, score).probability == Approx(std::exp(-2.0)));
}

TEST_CASE("a score becomes a candidate") {
  kernels::Score score;
  score.token = 7;
  score.logit = 1.0f;
  score.best = 3;
  score.best_logit = 2.0f;
  score.second_logit = 1.0f;
  score.log_sum_exp = 3.0f;
  score.entropy = 0.5f;
  const Candidate c = to_candidate(11, score);
  CHECK(c.position == 11);
  CHECK(c.token == 7);
  CHECK(c.probability == Approx(std::exp(-2.0)));
  CHECK(c.margin == Approx(std::exp(-1.0) - std::exp(-2.0)));
  CHECK(c.entropy == 0.5f);
}

TEST_CASE("with one allowed token the margin is its probability") {
  kernels::Score score;
  score.best_logit = score.logit = score.log_sum_exp = 4.0f;
  score.second_logit = -std::numeric_limits<float>::infinity();
  CHECK(to_candidate(0, score).margin == Approx(1.0));
}

TEST_CASE("positions by chance: a seed repeats, temperature leans to the surer ones, zero is the surest") {
  const std::vector<Candidate> candidates = {sure(3, 0.9f), sure(5, 0.1f), sure(8, 0.5f), sure(9, 0.2f)};
  const auto share_of_first = [&](const Choice& choice) {
    int first = 0;
    for (std::uint32_t step = 0; step < 2000; ++step) {
      const auto chosen = choose(candidates, choice, 1, {7, step});
      REQUIRE(chosen.size() == 1);
      CHECK(choose(candidates, choice, 1, {7, step}) == chosen);
      first += chosen[0] == 0 ? 1 : 0;
    }
    return first / 2000.0;
  };
  Choice choice{Rule::quota};
  CHECK(share_of_first(choice) == 1);
  choice.temperature = 0.5f;  // e^1.8 of e^1.8 + e^0.2 + e^1 + e^0.4
  CHECK(share_of_first(choice) == Approx(0.5174).margin(0.03));
  choice.confidence = Confidence::random;
  CHECK(share_of_first(choice) == Approx(0.25).margin(0.03));
  CHECK(choose(candidates, choice, 3, {1, 0}).size() == 3);
}

}  // namespace
}  // namespace cinnabar::engine
