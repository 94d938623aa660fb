#include "kernels/cpu/backend.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "kernels/cpu/context.h"
#include "kernels/cpu/cpu_features.h"
#include "kernels/cpu/memory.h"

namespace cinnabar::kernels::cpu {
namespace {

const LaneOps& lane_ops(Isa isa) {
  if (isa == Isa::plain) return lane_ops_plain();
  if (isa == Isa::avx2) return lane_ops_avx2();
  return isa == Isa::avx_vnni ? lane_ops_avx_vnni() : lane_ops_avx512();
}

class CpuBackend final : public Backend {
 public:
  CpuBackend(Isa isa, int threads) : context_(isa, threads) {}

  std::string description() const override {
    const int threads = context_.pool.threads();
    return "cpu (" + std::string(name(context_.isa)) + ", " + std::to_string(threads) +
           (threads == 1 ? " thread)" : " threads)");
  }
  bool host_memory() const override { return true; }
  int cheap_rows() const override {
    switch (context_.isa) {
      case Isa::plain:
      case Isa::avx2:
        return 6;
      case Isa::avx_vnni:
        return 8;  // not measured yet
      case Isa::avx512:
      case Isa::avx512_bf16:
        return 16;
      case Isa::amx:
        return 32;
    }
    return 1;
  }

  Result<std::unique_ptr<Buffer>> allocate(std::int64_t values) override {
    auto pages = values < 0 ? std::nullopt : Pages::map(values * static_cast<std::int64_t>(sizeof(float)));
    if (!pages) return Status::error("no memory for " + std::to_string(values) + " values");
    return std::unique_ptr<Buffer>(std::make_unique<HostBuffer>(std::move(*pages), values));
  }
  Result<std::unique_ptr<Buffer>> upload(std::span<const float> values) override {
    auto buffer = allocate(static_cast<std::int64_t>(values.size()));
    if (buffer.ok() && !values.empty()) std::memcpy(buffer.value()->data(), values.data(), values.size_bytes());
    return buffer;
  }
  void download(const float* device, std::span<float> host) override {
    if (!host.empty()) std::memcpy(host.data(), device, host.size_bytes());
  }
  Result<std::unique_ptr<Matrix>> pack(std::span<const StoredMatrix> parts, Compute compute) override {
    const FlushDenormals flush;
    return cpu::pack(context_, parts, compute);
  }
  Result<std::unique_ptr<KvStore>> make_kv(const KvShape& shape) override { return cpu::make_kv(shape); }
  void copy_kv(const KvStore& from, KvStore& to, std::int64_t count) override { cpu::copy_kv(from, to, count); }

  void embed(std::span<const std::int32_t> ids, const StoredMatrix& table, Rows out) override {
    const FlushDenormals flush;
    cpu::embed(context_, ids, table, out);
  }
  void rms_norm(Rows x, const float* weight, float eps, Rows out) override {
    const FlushDenormals flush;
    cpu::rms_norm(context_, x, weight, eps, out);
  }
  void head_norm(Rows x, const float* weight, float eps, int head_size) override {
    const FlushDenormals flush;
    cpu::head_norm(context_, x, weight, eps, head_size);
  }
  void linear(std::span<const Linear> products) override {
    const FlushDenormals flush;
    cpu::linear(context_, products);
  }
  void rope(Rows x, std::span<const std::int32_t> positions, const RopeSpec& spec) override {
    const FlushDenormals flush;
    cpu::rope(context_, x, positions, spec);
  }
  void kv_write(KvStore& kv, int layer, Rows k, Rows v, std::span<const std::int32_t> slots) override {
    const FlushDenormals flush;
    cpu::kv_write(context_, kv, layer, k, v, slots);
  }
  void attention(Rows q, std::span<const AttentionSegment> segments, int layer, float scale, Rows out) override {
    const FlushDenormals flush;
    cpu::attention(context_, q, segments, layer, scale, out);
  }
  void gated_silu(Rows x, Rows out) override {
    const FlushDenormals flush;
    cpu::gated_silu(context_, x, out);
  }
  void gather_rows(Rows x, std::span<const std::int32_t> rows, Rows out) override {
    cpu::gather_rows(context_, x, rows, out);
  }
  void score_rows(Rows x, const Matrix& head, std::span<const ScoreRequest> requests, std::span<Score> out) override {
    const FlushDenormals flush;
    cpu::score_rows(context_, x, head, requests, out);
  }

 private:
  Context context_;
};

}  // namespace

Context::Context(Isa level, int threads)
    : isa(level),
      pool(threads),
      ops(lane_ops(level)),
      products{ops.product_f32, ops.product_bf16, ops.product_int8},
      attention(ops.attention),
      worker_scratch(threads) {
  if (level == Isa::avx512_bf16) {
    products = {ops.product_f32, product_bf16_avx512_bf16, ops.product_int8};
    attention = attention_avx512_bf16;
  }
  if (level != Isa::amx) return;
  products = {ops.product_f32, product_bf16_amx, product_int8_amx};
  attention = attention_amx;
}

float* scratch(Context& context, int worker, std::int64_t values) {
  std::vector<float>& memory = context.worker_scratch[worker];
  if (static_cast<std::int64_t>(memory.size()) < values + 16) memory.resize(values + 16);
  const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
  return memory.data() + (64 - address % 64) % 64 / sizeof(float);
}

Result<std::unique_ptr<Backend>> make_backend(const CpuOptions& options) {
  const Isa isa = options.isa.value_or(available_isas().back());
  const std::string missing = missing_features(isa);
  if (!missing.empty()) {
    return Status::error("instruction set " + std::string(name(isa)) + " is not available here, missing: " + missing);
  }
  if (options.threads < 0) {
    return Status::error("number of threads is " + std::to_string(options.threads) +
                         ", expected 0 (automatic) or more");
  }
  const int threads = options.threads == 0 ? default_threads() : std::min(options.threads, 1024);
  return std::unique_ptr<Backend>(std::make_unique<CpuBackend>(isa, threads));
}

}  // namespace cinnabar::kernels::cpu
