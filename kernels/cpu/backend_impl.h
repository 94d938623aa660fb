// The CPU backend's class. Each operation is defined in the file of its subject: linear.cc, rows.cc, kv.cc, attention.cc,
// score.cc.
#pragma once

#include "kernels/cpu/context.h"

namespace cinnabar::kernels::cpu {

class CpuBackend final : public Backend {
 public:
  CpuBackend(Isa isa, int threads) : context_(isa, threads) {}

  std::string description() const override;
  bool host_memory() const override { return true; }
  int cheap_rows() const override;

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

 private:
  Context context_;
};

}  // namespace cinnabar::kernels::cpu
