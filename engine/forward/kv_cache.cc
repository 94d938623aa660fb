#include "engine/forward/kv_cache.h"

#include <algorithm>

namespace cinnabar::engine {

Result<KvCache> KvCache::create(Network& network, std::int64_t capacity) {
  const ModelSpec& spec = network.spec();
  auto store = network.backend().make_kv({spec.layers, spec.kv_heads, spec.head_size, capacity});
  if (!store) return store.status().in("keys and values of " + std::to_string(capacity) + " tokens");
  return KvCache(std::move(store).value());
}

int KvCache::common_prefix(std::span<const std::int32_t> tokens) const {
  const auto [mine, theirs] = std::mismatch(tokens_.begin(), tokens_.end(), tokens.begin(), tokens.end());
  return static_cast<int>(mine - tokens_.begin());
}

void KvCache::truncate(int length) {
  if (length < size()) tokens_.resize(static_cast<std::size_t>(length));
}

void KvCache::append(std::span<const std::int32_t> tokens) {
  assert(size() + static_cast<std::int64_t>(tokens.size()) <= capacity());
  tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
}

void KvCache::copy_from(const KvCache& other, int length, Network& network) {
  assert(length <= other.size() && length <= capacity());
  network.backend().copy_kv(*other.store_, *store_, length);
  tokens_.assign(other.tokens_.begin(), other.tokens_.begin() + length);
}

}  // namespace cinnabar::engine
