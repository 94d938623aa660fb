// Which guesses a forward verifies: a tree of drafted tokens behind the last known one, and mask rows behind its nodes
// for the guesses of the forward after (2305.09781's token trees, with mask rows as the drafter). Pure functions over
// probabilities.
//
// The tree is a comb, as attention with one range of hidden slots can see it (kernels::AttentionSegment): a main chain
// of the likeliest tokens, and side chains that leave it, which do not branch again and have mask rows at their end alone.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "engine/decoding/draft.h"

namespace cinnabar::engine {

struct DraftNode {
  std::int32_t token = -1;
  int parent = -1;    // index of its node; a parent stands before its children
  int depth = 0;      // drafted tokens up to it, itself included
  bool main = true;   // of the main chain
  int masks = 0;      // mask rows behind it
  float reached = 1;  // the chance that all tokens up to it are right
};

// nodes[0] is the last known token itself and no row of the draft.
struct DraftTree {
  std::vector<DraftNode> nodes{DraftNode{}};

  int child(int node, std::int32_t token) const;  // -1: none
  int main_child(int node) const;                 // the same
  int only_child(int node) const;                 // of a node of a side chain; the same
  std::vector<std::int32_t> path(int node) const;
};

struct TreeLimits {
  int rows = 0;   // drafted tokens and mask rows
  int depth = 0;  // drafted tokens in a row
  int block = 0;  // mask rows in one place; 0: there are none
  // A row that brings fewer tokens than it costs is left out; in tokens: a row's time over the time of a forward a token.
  float row_cost = 0;
  bool branches = true;  // false: a chain
};

// Divides the rows so that most tokens are gained: each drafted token and each mask row has a chance to be of use, and
// the best ones get the rows.
DraftTree grow_tree(const std::function<Guesses(std::span<const std::int32_t> path)>& guess, const TreeLimits& limits);

}  // namespace cinnabar::engine
