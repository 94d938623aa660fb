#include "kernels/cpu/kv.h"

#include <cassert>
#include <cstring>
#include <string>

#include "kernels/cpu/backend_impl.h"

namespace cinnabar::kernels::cpu {
namespace {
constexpr int kRowsPerTask = 32;
}

Result<std::unique_ptr<KvStore>> CpuBackend::make_kv(const KvShape& shape) {
  assert(shape.layers > 0 && shape.kv_heads > 0 && shape.capacity > 0);
  assert(shape.head_size % 32 == 0 && shape.head_size > 0 && shape.head_size <= 256);
  const std::int64_t planes = static_cast<std::int64_t>(shape.layers) * shape.kv_heads * 2;
  auto pages = Pages::map(planes * HostKv::slots(shape) * shape.head_size * 2);
  if (!pages) return Status::error("no memory for keys and values of " + std::to_string(shape.capacity) + " positions");
  return std::unique_ptr<KvStore>(std::make_unique<HostKv>(shape, std::move(*pages)));
}

void CpuBackend::copy_kv(const KvStore& from, KvStore& to, std::int64_t count) {
  const auto& source = static_cast<const HostKv&>(from);
  auto& target = static_cast<HostKv&>(to);
  const KvShape& shape = from.shape();
  assert(shape.layers == to.shape().layers && shape.kv_heads == to.shape().kv_heads);
  assert(shape.head_size == to.shape().head_size && count <= shape.capacity && count <= to.shape().capacity);
  const std::int64_t whole = count / 32 * 32 * shape.head_size;
  for (int layer = 0; layer < shape.layers; ++layer) {
    for (int head = 0; head < shape.kv_heads; ++head) {
      std::memcpy(target.keys(layer, head), source.keys(layer, head), count * shape.head_size * 2);
      const std::uint16_t* values = source.values(layer, head);
      std::uint16_t* out = target.values(layer, head);
      std::memcpy(out, values, whole * 2);
      for (int e = 0; e < shape.head_size; ++e) {
        std::memcpy(out + whole + 32 * e, values + whole + 32 * e, count % 32 * 2);
        // At the very end of a full store there is no partial block to touch.
        if (count % 32 == 0) break;
      }
    }
  }
}

void CpuBackend::kv_write(KvStore& kv, int layer, Rows k, Rows v, std::span<const std::int32_t> slots) {
  const FlushDenormals flush;
  auto& store = static_cast<HostKv&>(kv);
  const int size = kv.shape().head_size;
  assert(k.rows == v.rows && k.rows == static_cast<std::int64_t>(slots.size()));
  assert(k.cols == static_cast<std::int64_t>(size) * kv.shape().kv_heads && v.cols == k.cols);
  const auto write_rows = [&](int task, int) {
    for (std::int64_t row = static_cast<std::int64_t>(task) * kRowsPerTask; row < (task + 1LL) * kRowsPerTask; ++row) {
      if (row >= k.rows) return;
      const std::int64_t slot = slots[row];
      assert(slot >= 0 && slot < kv.shape().capacity);
      for (int head = 0; head < kv.shape().kv_heads; ++head) {
        std::uint16_t rounded[256];
        context_.ops.to_bf16(k.data + row * k.stride + head * size, size, store.keys(layer, head) + slot * size);
        context_.ops.to_bf16(v.data + row * v.stride + head * size, size, rounded);
        std::uint16_t* values = store.values(layer, head) + slot / 32 * 32 * size + slot % 32;
        for (int e = 0; e < size; ++e) values[32 * e] = rounded[e];
      }
    }
  };
  context_.pool.run(static_cast<int>((k.rows + kRowsPerTask - 1) / kRowsPerTask), write_rows);
}

}  // namespace cinnabar::kernels::cpu
