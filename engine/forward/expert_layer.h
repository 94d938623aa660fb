// A layer's mixture of experts on a device: the router, the experts' packed matrices, and one pass of some rows through
// those that they are sent to.
#pragma once

#include <memory>
#include <vector>

#include "engine/forward/router.h"
#include "engine/model/weights.h"
#include "kernels/backend.h"

namespace cinnabar::engine {

class ExpertLayer {
 public:
  // Borrows the backend. The router is computed in f32: a rounding there sends a row elsewhere.
  static Result<std::unique_ptr<ExpertLayer>> pack(const ModelSpec& spec, const LayerWeights& layer,
                                                   kernels::Backend& backend, kernels::Compute compute);

  // x [M, D] += what the experts make of h [M, D], the normed rows. Rows are grouped by expert, so that each expert that
  // is used is read once for them, and an expert that nobody goes to not at all. A row's sum goes through its
  // experts in ascending order whoever stands beside it.
  struct Scratch;
  void add(kernels::Rows h, kernels::Rows x, Scratch& scratch) const;

  // Bytes that one row streams.
  std::int64_t streamed_bytes() const;

 private:
  struct Expert {
    std::unique_ptr<kernels::Matrix> gate_up, down;
  };
  struct Plan;

  ExpertLayer(const ModelSpec& spec, kernels::Backend& backend) : experts_(spec.experts), backend_(backend) {}
  Status pack_expert(const ExpertWeights& from, kernels::Compute compute, Expert& to);
  Plan plan(std::span<const float> logits) const;
  void add_some(kernels::Rows h, kernels::Rows x, Scratch& scratch) const;
  void add_shared(kernels::Rows h, kernels::Rows x, Scratch& scratch) const;

  Experts experts_;
  kernels::Backend& backend_;
  std::unique_ptr<kernels::Matrix> router_;
  std::vector<float> choice_bias_;
  std::vector<Expert> all_;
  Expert shared_;  // null without
};

// Memory between the parts, for all layers; kMostRows rows go through the experts at a time.
struct ExpertLayer::Scratch {
  static constexpr std::int64_t kMostRows = 256;
  static Result<Scratch> make(const ModelSpec& spec, kernels::Backend& backend);
  std::unique_ptr<kernels::Buffer> logits, gathered, inner, gated, results;
};

}  // namespace cinnabar::engine
