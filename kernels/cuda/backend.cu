#include "kernels/cuda/backend.h"
#include "kernels/cuda/backend_impl.h"

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

}  // namespace

Result<std::unique_ptr<Buffer>> CudaBackend::allocate(std::int64_t values) {
  Memory memory(*context_.device, values * static_cast<std::int64_t>(sizeof(float)));
  if (values < 0 || !memory) return Status::error("no memory on the GPU for " + std::to_string(values) + " values");
  return std::unique_ptr<Buffer>(std::make_unique<DeviceBuffer>(std::move(memory), values));
}

Result<std::unique_ptr<Buffer>> CudaBackend::upload(std::span<const float> values) {
  auto buffer = allocate(static_cast<std::int64_t>(values.size()));
  if (buffer.ok())
    context_.device->to_device(buffer.value()->data(), values.data(), static_cast<std::int64_t>(values.size_bytes()));
  return buffer;
}

void CudaBackend::download(const float* device, std::span<float> host) {
  context_.device->to_host(host.data(), device, static_cast<std::int64_t>(host.size_bytes()));
}

bool Context::grow(Memory& memory, std::int64_t bytes) {
  if (memory && memory.bytes() >= bytes) return true;
  if (!failure()) return false;
  memory = Memory(*device, bytes);
  if (memory) device->clear(memory.as<void>(), bytes);  // tiles are read whole, their last rows may never be written
  if (!memory) no_memory = Status::error("no memory on the GPU for " + std::to_string(bytes) + " bytes of activations");
  return static_cast<bool>(memory);
}

bool Context::upload_arguments() {
  if (!grow(arguments.memory, arguments.image.size())) return false;
  device->to_device(arguments.memory.as<void>(), arguments.image.data(), arguments.image.size());
  return true;
}

const std::int32_t* Context::upload_ints(std::span<const std::int32_t> values) {
  arguments.image.clear();
  arguments.image.add(values);
  return upload_arguments() ? arguments.memory.as<const std::int32_t>() : nullptr;
}

Result<std::unique_ptr<Backend>> make_backend(int gpu) {
  auto device = Device::open(gpu);
  if (!device) return device.status();
  return std::unique_ptr<Backend>(std::make_unique<CudaBackend>(std::move(device).value()));
}

}  // namespace cinnabar::kernels::cuda
