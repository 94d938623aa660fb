// Merges of byte-pair encoding by rank: the lookup table, and their application to one word.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace cinnabar::engine {

struct Merge {
  std::int32_t rank;
  std::int32_t token;  // what the pair becomes
};

// (left token, right token) -> merge. Immutable once filled, thread-safe.
class MergeTable {
 public:
  explicit MergeTable(std::size_t merges);
  // False where the pair is there already (the first stays), or where a crafted file has made the table degenerate.
  bool add(std::int32_t left, std::int32_t right, Merge merge);
  // Null where the two do not merge.
  const Merge* find(std::int32_t left, std::int32_t right) const;

 private:
  struct Slot {
    std::uint64_t pair;
    Merge merge;
  };
  std::size_t home(std::uint64_t pair) const;
  std::vector<Slot> slots_;
  int shift_;
};

// Reusable memory of merge_word; one caller at a time.
struct MergeScratch {
  struct Node {
    std::int32_t token, previous, next;  // node indices, -1: none
  };
  struct OpenMerge {
    std::int32_t rank, node;   // the left one of the pair
    std::int32_t left, right;  // tokens when it was found: another merge may have come first
  };
  std::vector<std::int32_t> ranks;
  std::vector<Node> nodes;
  std::vector<OpenMerge> heap;
};

// Merges `word` (one token a byte, at most 2^30) in place. O(n log n).
void merge_word(const MergeTable& table, std::vector<std::int32_t>& word, MergeScratch& scratch);

}  // namespace cinnabar::engine
