// Where a forward's time goes: a backend that hands every operation on to another one. Divided, composite operations run in
// their plain forms and each part is measured; else they go on whole, as they do without this backend. Of a device that
// computes while the caller goes on, waiting after each operation is what makes their times true, and a forward longer.
//
// Engine thread only, like the backend it wraps.
#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "kernels/backend.h"

namespace cinnabar::daemon {

enum class Operation : std::uint8_t { embed, norm, linear, rope, kv_write, attention, activation, gather, score };
inline constexpr std::size_t kOperations = 9;
std::string_view name(Operation operation);  // "embed", "norm", ...

// Milliseconds by Operation since the last reset().
using OperationTimes = std::array<double, kOperations>;

class TimedBackend final : public kernels::Backend {
 public:
  explicit TimedBackend(std::unique_ptr<kernels::Backend> inner) : inner_(std::move(inner)) {}

  const OperationTimes& times() const { return times_; }
  void reset() { times_ = {}; }
  void divide(bool divide) { divides_ = divide; }
  void wait_after_each(bool wait) { waits_ = wait; }

  std::string description() const override { return inner_->description(); }
  bool host_memory() const override { return inner_->host_memory(); }
  int cheap_rows() const override { return inner_->cheap_rows(); }
  Status failure() const override { return inner_->failure(); }
  void wait() override { inner_->wait(); }
  Result<std::unique_ptr<kernels::Buffer>> allocate(std::int64_t values) override;
  Result<std::unique_ptr<kernels::Buffer>> upload(std::span<const float> values) override;
  void download(const float* device, std::span<float> host) override;
  Result<std::unique_ptr<kernels::Matrix>> pack(std::span<const kernels::StoredMatrix> parts,
                                                kernels::Compute compute) override;
  Result<std::unique_ptr<kernels::KvStore>> make_kv(const kernels::KvShape& shape) override;
  void copy_kv(const kernels::KvStore& from, kernels::KvStore& to, std::int64_t count) override;

  void embed(std::span<const std::int32_t> ids, const kernels::StoredMatrix& table, kernels::Rows out,
             Write write) override;
  void rms_norm(kernels::Rows x, const float* weight, float eps, kernels::Rows out) override;
  void layer_norm(kernels::Rows x, const float* weight, const float* bias, float eps, kernels::Rows out) override;
  void head_norm(kernels::Rows x, const float* weight, float eps, int head_size) override;
  void linear(std::span<const Linear> products) override;
  void rope(kernels::Rows x, std::span<const std::int32_t> positions, const kernels::RopeSpec& spec) override;
  void kv_write(kernels::KvStore& kv, int layer, kernels::Rows k, kernels::Rows v,
                std::span<const std::int32_t> slots) override;
  void attention(kernels::Rows q, std::span<const kernels::AttentionSegment> segments, int layer, float scale,
                 kernels::Rows out) override;
  void gated_silu(kernels::Rows x, kernels::Rows out) override;
  void gelu(kernels::Rows x, kernels::Rows out) override;
  void gather_rows(kernels::Rows x, std::span<const std::int32_t> rows, kernels::Rows out) override;
  void add_rows(kernels::Rows x, std::span<const std::int32_t> rows, std::span<const float> factors,
                kernels::Rows out) override;
  void score_rows(kernels::Rows x, const kernels::Matrix& head, const float* bias,
                  std::span<const kernels::ScoreRequest> requests, std::span<kernels::Score> out) override;

  kernels::Traffic traffic() const override { return inner_->traffic(); }
  kernels::DeviceMemory memory() const override { return inner_->memory(); }
  void forward(const void* owner, const kernels::Batch& batch, const std::function<void()>& operations) override;
  void embed_batch(const kernels::Batch& batch, kernels::Rows out) override;
  void project(const kernels::Normed& x, const kernels::GatedProduct& qkv, const kernels::Heads& heads,
               const kernels::Batch& batch, const kernels::Workspace& work, kernels::Rows out) override;
  void attend(kernels::Rows q, const kernels::Batch& batch, int layer, float scale, kernels::Rows out) override;
  void add_product(kernels::Rows x, const kernels::GatedProduct& product, const kernels::Batch& batch,
                   const kernels::Workspace& work, kernels::Rows out) override;
  void activated_product(const kernels::Normed& x, const kernels::GatedProduct& product, kernels::Activation activation,
                         const kernels::Batch& batch, const kernels::Workspace& work, kernels::Rows out) override;
  void judge(const kernels::Normed& x, const kernels::GatedProduct& head, const kernels::Batch& batch,
             const kernels::Workspace& work) override;

 private:
  std::unique_ptr<kernels::Backend> inner_;
  OperationTimes times_{};
  bool divides_ = false, waits_ = false;
};

}  // namespace cinnabar::daemon
