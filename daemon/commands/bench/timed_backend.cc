#include "daemon/commands/bench/timed_backend.h"

#include <chrono>

namespace cinnabar::daemon {
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

Result<std::unique_ptr<kernels::Buffer>> TimedBackend::allocate(std::int64_t values) {
  return inner_->allocate(values);
}

Result<std::unique_ptr<kernels::Buffer>> TimedBackend::upload(std::span<const float> values) {
  return inner_->upload(values);
}

void TimedBackend::download(const float* device, std::span<float> host) { inner_->download(device, host); }

Result<std::unique_ptr<kernels::Matrix>> TimedBackend::pack(std::span<const kernels::StoredMatrix> parts,
                                                            kernels::Compute compute) {
  return inner_->pack(parts, compute);
}

Result<std::unique_ptr<kernels::KvStore>> TimedBackend::make_kv(const kernels::KvShape& shape) {
  return inner_->make_kv(shape);
}

void TimedBackend::copy_kv(const kernels::KvStore& from, kernels::KvStore& to, std::int64_t count) {
  inner_->copy_kv(from, to, count);
}

void TimedBackend::embed(std::span<const std::int32_t> ids, const kernels::StoredMatrix& table, kernels::Rows out,
                         Write write) {
  const Stopwatch watch(times_, Operation::embed, waits_ ? inner_.get() : nullptr);
  inner_->embed(ids, table, out, write);
}

void TimedBackend::rms_norm(kernels::Rows x, const float* weight, float eps, kernels::Rows out) {
  const Stopwatch watch(times_, Operation::norm, waits_ ? inner_.get() : nullptr);
  inner_->rms_norm(x, weight, eps, out);
}

void TimedBackend::layer_norm(kernels::Rows x, const float* weight, const float* bias, float eps, kernels::Rows out) {
  const Stopwatch watch(times_, Operation::norm, waits_ ? inner_.get() : nullptr);
  inner_->layer_norm(x, weight, bias, eps, out);
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

void TimedBackend::gelu(kernels::Rows x, kernels::Rows out) {
  const Stopwatch watch(times_, Operation::activation, waits_ ? inner_.get() : nullptr);
  inner_->gelu(x, out);
}

void TimedBackend::gather_rows(kernels::Rows x, std::span<const std::int32_t> rows, kernels::Rows out) {
  const Stopwatch watch(times_, Operation::gather, waits_ ? inner_.get() : nullptr);
  inner_->gather_rows(x, rows, out);
}

void TimedBackend::add_rows(kernels::Rows x, std::span<const std::int32_t> rows, std::span<const float> factors,
                            kernels::Rows out) {
  const Stopwatch watch(times_, Operation::gather, waits_ ? inner_.get() : nullptr);
  inner_->add_rows(x, rows, factors, out);
}

void TimedBackend::score_rows(kernels::Rows x, const kernels::Matrix& head, const float* bias,
                              std::span<const kernels::ScoreRequest> requests, std::span<kernels::Score> out) {
  const Stopwatch watch(times_, Operation::score, waits_ ? inner_.get() : nullptr);
  inner_->score_rows(x, head, bias, requests, out);
}

// Composite operations: the plain form, whose parts come back here, or the device's own.

void TimedBackend::forward(const void* owner, const kernels::Batch& batch, const std::function<void()>& operations) {
  divides_ ? operations() : inner_->forward(owner, batch, operations);
}

void TimedBackend::embed_batch(const kernels::Batch& batch, kernels::Rows out) {
  divides_ ? Backend::embed_batch(batch, out) : inner_->embed_batch(batch, out);
}

void TimedBackend::project(const kernels::Normed& x, const kernels::GatedProduct& qkv, const kernels::Heads& heads,
                           const kernels::Batch& batch, const kernels::Workspace& work, kernels::Rows out) {
  divides_ ? Backend::project(x, qkv, heads, batch, work, out) : inner_->project(x, qkv, heads, batch, work, out);
}

void TimedBackend::attend(kernels::Rows q, const kernels::Batch& batch, int layer, float scale, kernels::Rows out) {
  divides_ ? Backend::attend(q, batch, layer, scale, out) : inner_->attend(q, batch, layer, scale, out);
}

void TimedBackend::add_product(kernels::Rows x, const kernels::GatedProduct& product, const kernels::Batch& batch,
                               const kernels::Workspace& work, kernels::Rows out) {
  divides_ ? Backend::add_product(x, product, batch, work, out) : inner_->add_product(x, product, batch, work, out);
}

void TimedBackend::activated_product(const kernels::Normed& x, const kernels::GatedProduct& product,
                                     kernels::Activation activation, const kernels::Batch& batch,
                                     const kernels::Workspace& work, kernels::Rows out) {
  divides_ ? Backend::activated_product(x, product, activation, batch, work, out)
           : inner_->activated_product(x, product, activation, batch, work, out);
}

void TimedBackend::judge(const kernels::Normed& x, const kernels::GatedProduct& head, const kernels::Batch& batch,
                         const kernels::Workspace& work) {
  divides_ ? Backend::judge(x, head, batch, work) : inner_->judge(x, head, batch, work);
}

}  // namespace cinnabar::daemon
