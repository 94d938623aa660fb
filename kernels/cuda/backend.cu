#include "kernels/cuda/backend.h"
#include "kernels/cuda/context.h"

namespace cinnabar::kernels::cuda {
namespace {

class DeviceBuffer final : public Buffer {
 public:
  DeviceBuffer(Memory memory, std::int64_t size) : memory_(std::move(memory)), size_(size) {}
  float* data() override { return memory_.as<float>(); }
  std::int64_t size() const override { return size_; }

 private:
  Memory memory_;
  std::int64_t size_;
};

class CudaBackend final : public Backend {
 public:
  explicit CudaBackend(std::unique_ptr<Device> device) : context_(std::move(device)) {}

  std::string description() const override { return "cuda (" + context_.device->name() + ")"; }
  bool host_memory() const override { return false; }
  int cheap_rows() const override { return 32; }  // 1.2 x one row on an H100 (bench/README.md)
  Status failure() const override { return context_.failure(); }
  void wait() override { context_.device->wait(); }

  Result<std::unique_ptr<Buffer>> allocate(std::int64_t values) override {
    Memory memory(*context_.device, values * static_cast<std::int64_t>(sizeof(float)));
    if (values < 0 || !memory) return Status::error("no memory on the GPU for " + std::to_string(values) + " values");
    return std::unique_ptr<Buffer>(std::make_unique<DeviceBuffer>(std::move(memory), values));
  }
  Result<std::unique_ptr<Buffer>> upload(std::span<const float> values) override {
    auto buffer = allocate(static_cast<std::int64_t>(values.size()));
    if (buffer.ok())
      context_.device->to_device(buffer.value()->data(), values.data(), static_cast<std::int64_t>(values.size_bytes()));
    return buffer;
  }
  void download(const float* device, std::span<float> host) override {
    context_.device->to_host(host.data(), device, static_cast<std::int64_t>(host.size_bytes()));
  }
  Result<std::unique_ptr<Matrix>> pack(std::span<const StoredMatrix> parts, Compute compute) override {
    return cuda::pack(context_, parts, compute);
  }
  Result<std::unique_ptr<KvStore>> make_kv(const KvShape& shape) override { return cuda::make_kv(context_, shape); }
  void copy_kv(const KvStore& from, KvStore& to, std::int64_t count) override {
    cuda::copy_kv(context_, from, to, count);
  }

  void embed(std::span<const std::int32_t> ids, const StoredMatrix& table, Rows out) override {
    cuda::embed(context_, ids, table, out);
  }
  void rms_norm(Rows x, const float* weight, float eps, Rows out) override {
    cuda::rms_norm(context_, x, weight, eps, out);
  }
  void head_norm(Rows x, const float* weight, float eps, int head_size) override {
    cuda::head_norm(context_, x, weight, eps, head_size);
  }
  void linear(std::span<const Linear> products) override { cuda::linear(context_, products); }
  void rope(Rows x, std::span<const std::int32_t> positions, const RopeSpec& spec) override {
    cuda::rope(context_, x, positions, spec);
  }
  void kv_write(KvStore& kv, int layer, Rows k, Rows v, std::span<const std::int32_t> slots) override {
    cuda::kv_write(context_, kv, layer, k, v, slots);
  }
  void attention(Rows q, std::span<const AttentionSegment> segments, int layer, float scale, Rows out) override {
    cuda::attention(context_, q, segments, layer, scale, out);
  }
  void gated_silu(Rows x, Rows out) override { cuda::gated_silu(context_, x, out); }
  void gather_rows(Rows x, std::span<const std::int32_t> rows, Rows out) override {
    cuda::gather_rows(context_, x, rows, out);
  }
  void score_rows(Rows x, const Matrix& head, std::span<const ScoreRequest> requests, std::span<Score> out) override {
    cuda::score_rows(context_, x, head, requests, out);
  }

 private:
  Context context_;
};

}  // namespace

bool Context::grow(Memory& memory, std::int64_t bytes) {
  if (memory && memory.bytes() >= bytes) return true;
  if (!failure()) return false;
  memory = Memory(*device, bytes);
  if (memory) device->clear(memory.as<void>(), bytes);  // tiles are read whole, their last rows may never be written
  if (!memory) no_memory = Status::error("no memory on the GPU for " + std::to_string(bytes) + " bytes of activations");
  return static_cast<bool>(memory);
}

Result<std::unique_ptr<Backend>> make_backend() {
  auto device = Device::open();
  if (!device) return device.status();
  return std::unique_ptr<Backend>(std::make_unique<CudaBackend>(std::move(device).value()));
}

}  // namespace cinnabar::kernels::cuda
