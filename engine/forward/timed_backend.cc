#include "engine/forward/timed_backend.h"

#include <chrono>

namespace cinnabar::engine {
namespace {

using Clock = std::chrono::steady_clock;

// Adds the time from its making to its end, and of `waited_for`'s work, if that is given.
class Stopwatch {
 public:
  Stopwatch(OperationTimes& times, Operation operation, kernels::Backend* waited_for)
      : target_(times[static_cast<std::size_t>(operation)]), waited_for_(waited_for) {}
  ~Stopwatch() {
    if (waited_for_ != nullptr) waited_for_->wait();
    target_ += std::chrono::duration<double, std::milli>(Clock::now() - start_).count();
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  double& target_;
  kernels::Backend* waited_for_;
  Clock::time_point start_ = Clock::now();
};

}  // namespace

std::string_view name(Operation operation) {
  constexpr std::array<std::string_view, kOperations> kNames = {"embed",     "norm",       "linear", "rope", "kv_write",
                                                                "attention", "activation", "gather", "score"};
  return kNames[static_cast<std::size_t>(operation)];
}

void TimedBackend::embed(std::span<const std::int32_t> ids, const kernels::StoredMatrix& table, kernels::Rows out) {
  const Stopwatch watch(times_, Operation::embed, waits_ ? inner_.get() : nullptr);
  inner_->embed(ids, table, out);
}

void TimedBackend::rms_norm(kernels::Rows x, const float* weight, float eps, kernels::Rows out) {
  const Stopwatch watch(times_, Operation::norm, waits_ ? inner_.get() : nullptr);
  inner_->rms_norm(x, weight, eps, out);
}

void TimedBackend::head_norm(kernels::Rows x, const float* weight, float eps, int head_size) {
  const Stopwatch watch(times_, Operation::norm, waits_ ? inner_.get() : nullptr);
  inner_->head_norm(x, weight, eps, head_size);
}

void TimedBackend::linear(std::span<const Linear> products) {
  const Stopwatch watch(times_, Operation::linear, waits_ ? inner_.get() : nullptr);
  inner_->linear(products);
}

void TimedBackend::rope(kernels::Rows x, std::span<const std::int32_t> positions, const kernels::RopeSpec& spec) {
  const Stopwatch watch(times_, Operation::rope, waits_ ? inner_.get() : nullptr);
  inner_->rope(x, positions, spec);
}

void TimedBackend::kv_write(kernels::KvStore& kv, int layer, kernels::Rows k, kernels::Rows v,
                            std::span<const std::int32_t> slots) {
  const Stopwatch watch(times_, Operation::kv_write, waits_ ? inner_.get() : nullptr);
  inner_->kv_write(kv, layer, k, v, slots);
}

void TimedBackend::attention(kernels::Rows q, std::span<const kernels::AttentionSegment> segments, int layer,
                             float scale, kernels::Rows out) {
  const Stopwatch watch(times_, Operation::attention, waits_ ? inner_.get() : nullptr);
  inner_->attention(q, segments, layer, scale, out);
}

void TimedBackend::gated_silu(kernels::Rows x, kernels::Rows out) {
  const Stopwatch watch(times_, Operation::activation, waits_ ? inner_.get() : nullptr);
  inner_->gated_silu(x, out);
}

void TimedBackend::gather_rows(kernels::Rows x, std::span<const std::int32_t> rows, kernels::Rows out) {
  const Stopwatch watch(times_, Operation::gather, waits_ ? inner_.get() : nullptr);
  inner_->gather_rows(x, rows, out);
}

void TimedBackend::score_rows(kernels::Rows x, const kernels::Matrix& head,
                              std::span<const kernels::ScoreRequest> requests, std::span<kernels::Score> out) {
  const Stopwatch watch(times_, Operation::score, waits_ ? inner_.get() : nullptr);
  inner_->score_rows(x, head, requests, out);
}

}  // namespace cinnabar::engine
