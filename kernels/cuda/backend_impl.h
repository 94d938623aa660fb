// The CUDA backend's class. Each operation is defined in the file of its subject: linear.cu, rows.cu, kv.cu, attention.cu,
// score.cu; forward.cu has
// the composite ones.
#pragma once

#include "kernels/cuda/context.h"

namespace cinnabar::kernels::cuda {

class CudaBackend final : public Backend {
 public:
  explicit CudaBackend(std::unique_ptr<Device> device) : context_(std::move(device)) {}

  std::string description() const override { return "cuda (" + context_.device->name() + ")"; }
  bool host_memory() const override { return false; }
  int cheap_rows() const override { return 32; }  // 1.2 x one row on an H100 (bench/README.md)
  Status failure() const override { return context_.failure(); }
  void wait() override { context_.device->wait(); }

  Result<std::unique_ptr<Buffer>> allocate(std::int64_t values) override;
  Result<std::unique_ptr<Buffer>> upload(std::span<const float> values) override;
  void download(const float* device, std::span<float> host) override;
  Result<std::unique_ptr<Matrix>> pack(std::span<const StoredMatrix> parts, Compute compute) override;
  Result<std::unique_ptr<KvStore>> make_kv(const KvShape& shape) override;
  void copy_kv(const KvStore& from, KvStore& to, std::int64_t count) override;

  void embed(std::span<const std::int32_t> ids, const StoredMatrix& table, Rows out, Write write) override;
  void rms_norm(Rows x, const float* weight, float eps, Rows out) override;
  void layer_norm(Rows x, const float* weight, const float* bias, float eps, Rows out) override;
  void head_norm(Rows x, const float* weight, float eps, int head_size) override;
  void linear(std::span<const Linear> products) override;
  void rope(Rows x, std::span<const std::int32_t> positions, const RopeSpec& spec) override;
  void kv_write(KvStore& kv, int layer, Rows k, Rows v, std::span<const std::int32_t> slots) override;
  void attention(Rows q, std::span<const AttentionSegment> segments, int layer, float scale, Rows out) override;
  void gated_silu(Rows x, Rows out) override;
  void gelu(Rows x, Rows out) override;
  void gather_rows(Rows x, std::span<const std::int32_t> rows, Rows out) override;
  void add_rows(Rows x, std::span<const std::int32_t> rows, std::span<const float> factors, Rows out) override;
  void score_rows(Rows x, const Matrix& head, const float* bias, std::span<const ScoreRequest> requests,
                  std::span<Score> out) override;

  Traffic traffic() const override { return context_.device->traffic(); }
  DeviceMemory memory() const override { return context_.device->memory(); }
  void forward(const void* owner, const Batch& batch, const std::function<void()>& operations) override;
  void embed_batch(const Batch& batch, Rows out) override;
  void project(const Normed& x, const GatedProduct& qkv, const Heads& heads, const Batch& batch, const Workspace& work,
               Rows out) override;
  void attend(Rows q, const Batch& batch, int layer, float scale, Rows out) override;
  void add_product(Rows x, const GatedProduct& product, const Batch& batch, const Workspace& work, Rows out) override;
  void activated_product(const Normed& x, const GatedProduct& product, Activation activation, const Batch& batch,
                         const Workspace& work, Rows out) override;
  void judge(const Normed& x, const GatedProduct& head, const Batch& batch, const Workspace& work) override;

 private:
  bool begin(const Batch& batch);
  bool is_under_way(const Batch& batch) const { return context_.forward.batch == &batch; }
  Graph* graph_for(const void* owner, const Batch& batch);
  void run_plainly(const void* owner, const std::function<void()>& operations);

  Context context_;
};

}  // namespace cinnabar::kernels::cuda
