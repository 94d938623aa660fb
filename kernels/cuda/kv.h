// Keys and values of one sequence on the device. For each layer and key/value head: keys [slots][E], then values
// [slots][E], both bf16. Zero at first, so that slots never written are finite.
#pragma once

#include "kernels/cuda/context.h"

namespace cinnabar::kernels::cuda {

class DeviceKv final : public KvStore {
 public:
  DeviceKv(const KvShape& shape, Memory memory) : KvStore(shape), memory_(std::move(memory)) {}

  std::int64_t bytes() const override { return memory_.bytes(); }
  std::int64_t plane() const { return shape().capacity * shape().head_size; }  // values of one head's keys
  std::uint16_t* keys(int layer) const {                                       // of head 0; head h: + 2 h plane()
    return memory_.as<std::uint16_t>() + std::int64_t{layer} * shape().kv_heads * 2 * plane();
  }

 private:
  Memory memory_;
};

}  // namespace cinnabar::kernels::cuda
