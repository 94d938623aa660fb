// Which experts a row goes through, by logits, bias and groups; tests/golden has whole models of it.
#include "engine/forward/router.h"

#include <catch2/catch.hpp>
#include <cmath>

using namespace cinnabar::engine;

namespace {

struct Case {
  std::string what;
  Experts experts;
  std::vector<float> logits, bias;
  std::vector<std::int32_t> chosen;
  std::vector<double> weights;
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

TEST_CASE("a row's experts and their weights") {
  const double sum = std::exp(1.0) + std::exp(2.0) + std::exp(3.0) + std::exp(0.0);
  const std::vector<float> rising = {1, 2, 3, 0};
  const std::vector<Case> cases = {
      {"softmax over all", {.count = 4, .used = 2}, rising, {}, {1, 2}, {std::exp(2.0) / sum, std::exp(3.0) / sum}},
      {"weights that sum to 1",
       {.count = 4, .used = 2, .renormalise = true},
       rising,
       {},
       {1, 2},
       {sigmoid(-1), sigmoid(1)}},
      {"scaled", {.count = 4, .used = 1, .sigmoid = true, .scale = 2}, rising, {}, {2}, {2 * sigmoid(3)}},
      {"the bias chooses and does not weigh",
       {.count = 4, .used = 1, .sigmoid = true, .choice_bias = true},
       rising,
       {0, 0, 0, 1},
       {3},
       {0.5}},
      {"of equal ones the first",
       {.count = 4, .used = 2, .sigmoid = true},
       {1, 1, 1, 1},
       {},
       {0, 1},
       {sigmoid(1), sigmoid(1)}},
      // The largest expert stands in the group that is weaker together.
      {"groups",
       {.count = 4, .used = 1, .sigmoid = true, .groups = 2, .groups_used = 1},
       {2, 2, 3, -9},
       {},
       {0},
       {sigmoid(2)}},
      {"every group",
       {.count = 4, .used = 1, .sigmoid = true, .groups = 2, .groups_used = 2},
       {2, 2, 3, -9},
       {},
       {2},
       {sigmoid(3)}},
      {"groups of one",
       {.count = 3, .used = 1, .sigmoid = true, .groups = 3, .groups_used = 1},
       {0, 5, 1},
       {},
       {1},
       {sigmoid(5)}},
      {"logits without bound", {.count = 2, .used = 1}, {1e30f, -1e30f}, {}, {0}, {1}},
  };
  for (const Case& c : cases) {
    INFO(c.what);
    const auto chosen = choose_experts(c.experts, c.logits, c.bias);
    REQUIRE(chosen.size() == c.chosen.size());
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      CHECK(chosen[i].expert == c.chosen[i]);
      CHECK(chosen[i].weight == Approx(c.weights[i]).epsilon(1e-6));
    }
  }
}
