// Keys and values of one sequence. For each layer and key/value head: keys [slots][E], values [slots / 32][E][32] (a
// block's values transposed, as the second product of attention reads them), both bf16; slots rounded up to 32. Zero at
// first, so that slots never written are finite.
#pragma once

#include "kernels/backend.h"
#include "kernels/cpu/memory.h"

namespace cinnabar::kernels::cpu {

class HostKv final : public KvStore {
 public:
  HostKv(const KvShape& shape, Pages pages) : KvStore(shape), pages_(std::move(pages)) {}
  static std::int64_t slots(const KvShape& shape) { return (shape.capacity + 31) / 32 * 32; }

  std::int64_t bytes() const override { return pages_.size(); }
  std::uint16_t* keys(int layer, int head) const { return plane(layer, head); }
  std::uint16_t* values(int layer, int head) const { return plane(layer, head) + slots(shape()) * shape().head_size; }

 private:
  std::uint16_t* plane(int layer, int head) const {
    const std::int64_t index = static_cast<std::int64_t>(layer) * shape().kv_heads + head;
    return reinterpret_cast<std::uint16_t*>(pages_.data()) + index * 2 * slots(shape()) * shape().head_size;
  }
  Pages pages_;
};

}  // namespace cinnabar::kernels::cpu
