// Keys and values of one sequence, with the clean tokens they stand for. For block-causal models the reuse is exact: a
// slot depends on the tokens up to it and on nothing else, so any common beginning of two prompts is shared.
//
// Engine thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/forward/network.h"

namespace cinnabar::engine {

class KvCache {
 public:
  // Room for `capacity` tokens, drafts and masks included.
  static Result<KvCache> create(Network& network, std::int64_t capacity);

  kernels::KvStore& store() { return *store_; }
  std::int64_t capacity() const { return store_->shape().capacity; }
  // The clean tokens whose keys and values are stored, from slot 0 on.
  std::span<const std::int32_t> tokens() const { return tokens_; }
  int size() const { return static_cast<int>(tokens_.size()); }

  // Length of the common beginning with `tokens`.
  int common_prefix(std::span<const std::int32_t> tokens) const;
  // Forgets slots from `length` on.
  void truncate(int length);
  // Records that a forward wrote these tokens' clean rows at the next slots.
  void append(std::span<const std::int32_t> tokens);
  // Becomes a copy of `other`'s first `length` slots (several candidates over one prompt). Same network.
  void copy_from(const KvCache& other, int length, Network& network);

 private:
  explicit KvCache(std::unique_ptr<kernels::KvStore> store) : store_(std::move(store)) {}
  std::unique_ptr<kernels::KvStore> store_;
  std::vector<std::int32_t> tokens_;
};

}  // namespace cinnabar::engine
