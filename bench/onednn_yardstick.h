// The same int8 products in oneDNN: weights packed as it likes, u8 activations, s32 results; nothing is quantised or
// scaled.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace cinnabar::bench {

struct ProductShape {
  std::int64_t inputs, outputs;  // K, N
};

// Returns a function that multiplies `rows` rows by each matrix of `shapes` in turn (own weights for each).
std::function<void()> onednn_products(const std::vector<ProductShape>& shapes, std::int64_t rows);

}  // namespace cinnabar::bench
