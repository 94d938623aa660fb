// Heads of a size that is no multiple of 32 values, with zeros behind each, as the devices' operations take them. What is
// computed is the same: zeros add nothing to a product of query and key, and the output product reads them with zeros.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/model/weights.h"

namespace cinnabar::engine {

// The same model with head_size a multiple of 32; the values that were turned before still are.
ModelSpec with_padded_heads(const ModelSpec& spec);

class PaddedHeads {
 public:
  explicit PaddedHeads(const ModelSpec& spec);

  bool pads() const { return padded_.head_size != spec_.head_size; }
  float attention_scale() const;  // 1 / sqrt(E) of the model's own E
  // Of the norms over heads, whose mean counts the zeros, too; padded() scales their weights likewise.
  float norm_epsilon() const;
  // The layer with padded products, biases and norms of heads; what had to be rewritten lies in `memory`.
  LayerWeights padded(const LayerWeights& layer, std::vector<std::vector<std::byte>>& memory) const;

 private:
  kernels::StoredMatrix with_rows(const kernels::StoredMatrix& matrix,
                                  std::vector<std::vector<std::byte>>& memory) const;
  kernels::StoredMatrix with_columns(const kernels::StoredMatrix& matrix,
                                     std::vector<std::vector<std::byte>>& memory) const;
  std::vector<float> spread(const std::vector<float>& values) const;

  ModelSpec spec_, padded_;
};

}  // namespace cinnabar::engine
