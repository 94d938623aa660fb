#include "engine/forward/expert_layer.h"

#include <algorithm>
#include <array>
#include <utility>

namespace cinnabar::engine {

using kernels::Rows;

// Rows of the experts' products: of each expert the rows of the batch that go to it, expert after expert.
struct ExpertLayer::Plan {
  std::vector<std::int32_t> rows;
  std::vector<float> factors;
  struct Share {
    std::size_t expert;
    std::int64_t first, count;
  };
  std::vector<Share> shares;
};

Result<ExpertLayer::Scratch> ExpertLayer::Scratch::make(const ModelSpec& spec, kernels::Backend& backend) {
  const Experts& e = spec.experts;
  const std::int64_t pairs = kMostRows * e.used;
  const std::int64_t inner = std::max(pairs * e.ffn, kMostRows * e.shared_ffn);
  Scratch scratch;
  const std::pair<std::unique_ptr<kernels::Buffer>*, std::int64_t> buffers[] = {{&scratch.logits, kMostRows * e.count},
                                                                                {&scratch.gathered, pairs * spec.width},
                                                                                {&scratch.inner, 2 * inner},
                                                                                {&scratch.gated, inner},
                                                                                {&scratch.results, pairs * spec.width}};
  for (const auto& [buffer, values] : buffers)
    if (Status status = take(backend.allocate(values), *buffer); !status) return status.in("rows of experts");
  return scratch;
}

Result<std::unique_ptr<ExpertLayer>> ExpertLayer::pack(const ModelSpec& spec, const LayerWeights& layer,
                                                       kernels::Backend& backend, kernels::Compute compute) {
  std::unique_ptr<ExpertLayer> out(new ExpertLayer(spec, backend));
  if (Status s = take(backend.pack({&layer.router, 1}, kernels::Compute::f32), out->router_); !s) return s.in("router");
  out->choice_bias_ = layer.choice_bias;
  out->all_.resize(layer.experts.size());
  for (std::size_t i = 0; i < layer.experts.size(); ++i)
    if (Status s = out->pack_expert(layer.experts[i], compute, out->all_[i]); !s)
      return s.in("expert " + std::to_string(i));
  if (layer.shared.gate.data != nullptr)
    if (Status s = out->pack_expert(layer.shared, compute, out->shared_); !s) return s.in("shared expert");
  return out;
}

Status ExpertLayer::pack_expert(const ExpertWeights& from, kernels::Compute compute, Expert& to) {
  const std::array both = {from.gate, from.up};
  if (Status s = take(backend_.pack(both, compute), to.gate_up); !s) return s;
  return take(backend_.pack({&from.down, 1}, compute), to.down);
}

std::int64_t ExpertLayer::streamed_bytes() const {
  const auto bytes = [](const Expert& each) { return each.gate_up->bytes() + each.down->bytes(); };
  return router_->bytes() + experts_.used * bytes(all_[0]) + (shared_.down ? bytes(shared_) : 0);
}

ExpertLayer::Plan ExpertLayer::plan(std::span<const float> logits) const {
  const auto each = static_cast<std::size_t>(experts_.count);
  std::vector<std::vector<std::pair<std::int32_t, float>>> sent(each);
  for (std::size_t row = 0; row < logits.size() / each; ++row)
    for (const ChosenExpert& chosen : choose_experts(experts_, logits.subspan(row * each, each), choice_bias_))
      sent[static_cast<std::size_t>(chosen.expert)].emplace_back(static_cast<std::int32_t>(row), chosen.weight);
  Plan plan;
  for (std::size_t expert = 0; expert < each; ++expert) {
    if (sent[expert].empty()) continue;
    plan.shares.push_back({expert, std::ssize(plan.rows), std::ssize(sent[expert])});
    for (const auto& [row, weight] : sent[expert]) {
      plan.rows.push_back(row);
      plan.factors.push_back(weight);
    }
  }
  return plan;
}

void ExpertLayer::add(Rows h, Rows x, Scratch& scratch) const {
  for (std::int64_t first = 0; first < h.rows; first += Scratch::kMostRows) {
    const std::int64_t count = std::min(Scratch::kMostRows, h.rows - first);
    if (shared_.down) add_shared(h.slice(first, count), x.slice(first, count), scratch);
    add_some(h.slice(first, count), x.slice(first, count), scratch);
  }
}

void ExpertLayer::add_shared(Rows h, Rows x, Scratch& scratch) const {
  const Rows inner(scratch.inner->data(), h.rows, shared_.gate_up->rows());
  const Rows gated(scratch.gated->data(), h.rows, shared_.down->cols());
  backend_.linear(h, *shared_.gate_up, nullptr, inner);
  backend_.gated_silu(inner, gated);
  backend_.linear(gated, *shared_.down, nullptr, x, kernels::Backend::Write::add);
}

void ExpertLayer::add_some(Rows h, Rows x, Scratch& scratch) const {
  const Rows logits(scratch.logits->data(), h.rows, experts_.count);
  backend_.linear(h, *router_, nullptr, logits);
  std::vector<float> on_host(static_cast<std::size_t>(h.rows * experts_.count));
  backend_.download(logits.data, on_host);
  const Plan plan = this->plan(on_host);
  const std::int64_t pairs = std::ssize(plan.rows);
  const Rows gathered(scratch.gathered->data(), pairs, h.cols), inner(scratch.inner->data(), pairs, 2 * experts_.ffn);
  const Rows gated(scratch.gated->data(), pairs, experts_.ffn), results(scratch.results->data(), pairs, h.cols);
  backend_.gather_rows(h, plan.rows, gathered);
  std::vector<kernels::Backend::Linear> first, second;
  for (const auto& [expert, begin, count] : plan.shares) {
    const Expert& each = all_[expert];
    first.push_back({gathered.slice(begin, count), each.gate_up.get(), nullptr, inner.slice(begin, count)});
    second.push_back({gated.slice(begin, count), each.down.get(), nullptr, results.slice(begin, count)});
  }
  backend_.linear(first);
  backend_.gated_silu(inner, gated);
  backend_.linear(second);
  backend_.add_rows(results, plan.rows, plan.factors, x);
}

}  // namespace cinnabar::engine
