#include "engine/tokenizer/merges.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace cinnabar::engine {
namespace {

constexpr std::uint64_t kEmpty = ~std::uint64_t{0};
// At half load honest keys stay well below this; it bounds what a crafted file can cost, at load and at every look-up.
constexpr std::size_t kMostProbes = 512;
// Words up to this length merge by scanning: quadratic, but without a heap's overhead.
constexpr std::size_t kScannedWord = 48;
constexpr std::int32_t kNoRank = std::numeric_limits<std::int32_t>::max();

std::uint64_t pair_key(std::int32_t left, std::int32_t right) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 | static_cast<std::uint32_t>(right);
}

std::int32_t rank_of(const MergeTable& table, std::int32_t left, std::int32_t right) {
  const Merge* merge = table.find(left, right);
  return merge == nullptr ? kNoRank : merge->rank;
}

void merge_by_scan(const MergeTable& table, std::vector<std::int32_t>& word, std::vector<std::int32_t>& ranks) {
  ranks.clear();
  for (std::size_t i = 0; i + 1 < word.size(); ++i) ranks.push_back(rank_of(table, word[i], word[i + 1]));
  while (!ranks.empty()) {
    const auto best = std::min_element(ranks.begin(), ranks.end());  // the leftmost of equals
    if (*best == kNoRank) return;
    const auto at = best - ranks.begin();
    word[at] = table.find(word[at], word[at + 1])->token;
    word.erase(word.begin() + at + 1);
    ranks.erase(best);
    const auto pairs = static_cast<std::ptrdiff_t>(ranks.size());
    if (at < pairs) ranks[at] = rank_of(table, word[at], word[at + 1]);
    if (at > 0) ranks[at - 1] = rank_of(table, word[at - 1], word[at]);
  }
}

using OpenMerge = MergeScratch::OpenMerge;

bool later(const OpenMerge& a, const OpenMerge& b) { return a.rank != b.rank ? a.rank > b.rank : a.node > b.node; }

void offer(const MergeTable& table, MergeScratch& scratch, std::int32_t left) {
  if (left < 0) return;
  const auto& node = scratch.nodes[left];
  if (node.next < 0) return;
  const std::int32_t right_token = scratch.nodes[node.next].token;
  const std::int32_t rank = rank_of(table, node.token, right_token);
  if (rank == kNoRank) return;
  scratch.heap.push_back({rank, left, node.token, right_token});
  std::push_heap(scratch.heap.begin(), scratch.heap.end(), later);
}

void merge_by_heap(const MergeTable& table, std::vector<std::int32_t>& word, MergeScratch& scratch) {
  const auto count = static_cast<std::int32_t>(word.size());
  scratch.nodes.clear();
  scratch.heap.clear();
  for (std::int32_t i = 0; i < count; ++i) scratch.nodes.push_back({word[i], i - 1, i + 1 < count ? i + 1 : -1});
  for (std::int32_t i = 0; i + 1 < count; ++i) offer(table, scratch, i);
  while (!scratch.heap.empty()) {
    const OpenMerge best = scratch.heap.front();
    std::pop_heap(scratch.heap.begin(), scratch.heap.end(), later);
    scratch.heap.pop_back();
    auto& left = scratch.nodes[best.node];
    if (left.token != best.left || left.next < 0 || scratch.nodes[left.next].token != best.right) continue;
    auto& right = scratch.nodes[left.next];
    left.token = table.find(best.left, best.right)->token;
    left.next = right.next;
    right.token = -1;  // candidates that start at it are void
    if (left.next >= 0) scratch.nodes[left.next].previous = best.node;
    offer(table, scratch, best.node);
    offer(table, scratch, left.previous);
  }
  word.clear();
  for (std::int32_t at = 0; at >= 0; at = scratch.nodes[at].next) word.push_back(scratch.nodes[at].token);
}

}  // namespace

MergeTable::MergeTable(std::size_t merges) {
  const std::size_t slots = std::bit_ceil(std::max<std::size_t>(2 * merges, 16));
  slots_.assign(slots, Slot{kEmpty, {0, 0}});
  shift_ = 64 - std::countr_zero(slots);
}

std::size_t MergeTable::home(std::uint64_t pair) const {
  pair ^= pair >> 29;
  return static_cast<std::size_t>((pair * 0x9E3779B97F4A7C15u) >> shift_);
}

bool MergeTable::add(std::int32_t left, std::int32_t right, Merge merge) {
  const std::uint64_t pair = pair_key(left, right);
  std::size_t at = home(pair);
  for (std::size_t probe = 0; probe < kMostProbes; ++probe, at = (at + 1) & (slots_.size() - 1)) {
    if (slots_[at].pair == pair) return false;
    if (slots_[at].pair != kEmpty) continue;
    slots_[at] = {pair, merge};
    return true;
  }
  return false;
}

const Merge* MergeTable::find(std::int32_t left, std::int32_t right) const {
  const std::uint64_t pair = pair_key(left, right);
  std::size_t at = home(pair);
  for (std::size_t probe = 0; probe < kMostProbes; ++probe, at = (at + 1) & (slots_.size() - 1)) {
    if (slots_[at].pair == pair) return &slots_[at].merge;
    if (slots_[at].pair == kEmpty) return nullptr;
  }
  return nullptr;
}

void merge_word(const MergeTable& table, std::vector<std::int32_t>& word, MergeScratch& scratch) {
  if (word.size() <= kScannedWord) {
    merge_by_scan(table, word, scratch.ranks);
  } else {
    merge_by_heap(table, word, scratch);
  }
}

}  // namespace cinnabar::engine
