#include <cassert>
#include <string>

#include "kernels/cuda/backend_impl.h"
#include "kernels/cuda/kv.h"

namespace cinnabar::kernels::cuda {
namespace {

constexpr unsigned kThreads = 128;

__global__ void write_row(std::uint16_t* keys, std::int64_t plane, int size, Rows k, Rows v,
                          const std::int32_t* slots) {
  const std::int64_t slot = slots[blockIdx.x];
  for (std::int64_t i = threadIdx.x; i < k.cols; i += kThreads) {
    std::uint16_t* key = keys + i / size * 2 * plane + slot * size + i % size;
    key[0] = f32_to_bf16(k.data[blockIdx.x * k.stride + i]);
    key[plane] = f32_to_bf16(v.data[blockIdx.x * v.stride + i]);
  }
}

}  // namespace

Result<std::unique_ptr<KvStore>> CudaBackend::make_kv(const KvShape& shape) {
  assert(shape.layers > 0 && shape.kv_heads > 0 && shape.capacity > 0);
  assert(shape.head_size % 32 == 0 && shape.head_size > 0 && shape.head_size <= 256);
  const std::int64_t bytes = std::int64_t{shape.layers} * shape.kv_heads * shape.capacity * shape.head_size * 2 *
                             std::int64_t{sizeof(std::uint16_t)};
  Memory memory(*context_.device, bytes);
  if (!memory) return Status::error("no memory on the GPU for keys and values: " + std::to_string(bytes) + " bytes");
  context_.device->clear(memory.as<void>(), bytes);
  return std::unique_ptr<KvStore>(std::make_unique<DeviceKv>(shape, std::move(memory)));
}

void CudaBackend::copy_kv(const KvStore& from, KvStore& to, std::int64_t count) {
  const auto& source = static_cast<const DeviceKv&>(from);
  auto& target = static_cast<DeviceKv&>(to);
  const KvShape& shape = from.shape();
  assert(shape.layers == to.shape().layers && shape.kv_heads == to.shape().kv_heads &&
         shape.head_size == to.shape().head_size && count <= shape.capacity && count <= to.shape().capacity);
  const std::int64_t bytes = count * shape.head_size * std::int64_t{sizeof(std::uint16_t)};
  for (int layer = 0; layer < shape.layers; ++layer) {
    for (std::int64_t plane = 0; plane < 2 * std::int64_t{shape.kv_heads}; ++plane) {
      context_.device->on_device(target.keys(layer) + plane * target.plane(),
                                 source.keys(layer) + plane * source.plane(), bytes);
    }
  }
}

void CudaBackend::kv_write(KvStore& kv, int layer, Rows k, Rows v, std::span<const std::int32_t> slots) {
  auto& store = static_cast<DeviceKv&>(kv);
  assert(k.rows == v.rows && k.cols == v.cols && k.rows == static_cast<std::int64_t>(slots.size()));
  assert(k.cols == std::int64_t{store.shape().kv_heads} * store.shape().head_size);
  const std::int32_t* on_device = context_.upload_ints(slots);
  if (on_device == nullptr) return;
  context_.device->launch({blocks(k.rows, 1)}, kThreads, write_row, store.keys(layer), store.plane(),
                          store.shape().head_size, k, v, on_device);
}

}  // namespace cinnabar::kernels::cuda
