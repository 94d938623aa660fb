#include "engine/decoding/draft_tree.h"

#include <catch2/catch.hpp>
#include <map>

namespace cinnabar::engine {
namespace {

using Ids = std::vector<std::int32_t>;

// Guesses by path; none where nothing is said.
using Table = std::map<Ids, Guesses>;

DraftTree grow(const Table& table, const TreeLimits& limits) {
  return grow_tree(
      [&](std::span<const std::int32_t> path) {
        const auto found = table.find(Ids(path.begin(), path.end()));
        return found == table.end() ? Guesses() : found->second;
      },
      limits);
}

// The chain 0, 1, 2, ... each as probable as said.
Table chain(const std::vector<float>& probabilities) {
  Table table;
  Ids path;
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    table[path] = {{static_cast<std::int32_t>(i), probabilities[i]}};
    path.push_back(static_cast<std::int32_t>(i));
  }
  return table;
}

TEST_CASE("rows go where they are of most use") {
  struct Case {
    std::vector<float> probabilities;
    int rows, block, tokens;
    std::vector<int> masks;  // behind each token, from none on
  };
  const std::vector<Case> cases = {
      {{}, 3, 8, 0, {3}},                    // nothing to verify: a block behind what is known
      {{}, 30, 8, 0, {8}},                   // not longer than it was trained for
      {{}, 0, 8, 0, {0}},                    //
      {{}, 5, 0, 0, {0}},                    // nor where there are no masks
      {{0.99f, 0.99f}, 2, 8, 2, {0, 0, 0}},  // sure tokens first
      {{0.99f, 0.99f}, 5, 8, 2, {0, 0, 3}},  // then masks behind all of them
      {{0.3f}, 2, 8, 0, {2}},                // an unlikely token waits for the masks' first rows
      {{0.01f, 0.99f}, 40, 8, 0, {8}},       // what hardly ever holds is not verified
      {{0.5f, 0.5f}, 40, 4, 2, {4, 4, 4}},   // rows for every outcome
      {{1, 1, 1, 1, 1, 1}, 4, 8, 4, {0, 0, 0, 0, 0}},
      {{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, 40, 0, 10, Ids(11, 0)},  // no deeper than the limit
  };
  for (const Case& c : cases) {
    INFO(c.rows << " rows, first probability " << (c.probabilities.empty() ? 0 : c.probabilities[0]));
    const DraftTree tree =
        grow(chain(c.probabilities), {.rows = c.rows, .depth = 10, .block = c.block, .row_cost = 0.02f});
    std::vector<int> masks;
    for (int node = 0; node >= 0; node = tree.main_child(node))
      masks.push_back(tree.nodes[static_cast<std::size_t>(node)].masks);
    CHECK(static_cast<int>(tree.nodes.size()) == c.tokens + 1);
    CHECK(masks == c.masks);
  }
}

TEST_CASE("a doubtful place gets siblings, and side chains go on where that is likely") {
  const Table table = {{{}, {{1, 0.5f}, {2, 0.4f}, {3, 0.05f}}}, {{1}, {{4, 0.9f}}}, {{2}, {{5, 0.9f}, {6, 0.09f}}}};
  const DraftTree tree = grow(table, {.rows = 40, .depth = 10, .block = 2, .row_cost = 0.03f});
  const int one = tree.child(0, 1), two = tree.child(0, 2), three = tree.child(0, 3);
  REQUIRE((one > 0 && two > 0 && three > 0));
  CHECK(tree.main_child(0) == one);
  CHECK_FALSE(tree.nodes[static_cast<std::size_t>(two)].main);
  CHECK(tree.path(tree.only_child(two)) == Ids{2, 5});
  CHECK(tree.child(two, 6) == -1);  // a side chain does not branch
  CHECK(tree.nodes[static_cast<std::size_t>(two)].masks == 0);
  CHECK(tree.nodes[static_cast<std::size_t>(tree.only_child(two))].masks == 2);
  const DraftTree straight = grow(table, {.rows = 40, .depth = 10, .block = 2, .row_cost = 0.03f, .branches = false});
  for (const DraftNode& node : straight.nodes) CHECK(node.main);
  CHECK(straight.path(static_cast<int>(straight.nodes.size()) - 1) == Ids{1, 4});
}

}  // namespace
}  // namespace cinnabar::engine
