// Random token ids for tests: the same ones for a seed, everywhere.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace cinnabar::tests {

class RandomTokens {
 public:
  explicit RandomTokens(std::uint32_t seed) : engine_(seed) {}
  int below(int n) { return static_cast<int>(engine_() % static_cast<std::uint32_t>(n)); }
  // Below 256; few different ones in every other list, so that lookups match.
  std::vector<std::int32_t> tokens(int count) {
    const int kinds = below(2) == 0 ? 4 : 256;
    std::vector<std::int32_t> ids;
    for (int i = 0; i < count; ++i) ids.push_back(below(kinds));
    return ids;
  }

 private:
  std::mt19937 engine_;
};

}  // namespace cinnabar::tests
