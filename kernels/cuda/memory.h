// Memory on the device; empty when there was none.
#pragma once

#include <algorithm>
#include <utility>

#include "kernels/cuda/device.h"

namespace cinnabar::kernels::cuda {

class Memory {
 public:
  Memory() = default;
  Memory(Device& device, std::int64_t bytes)
      : device_(&device),
        data_(device.allocate(std::max<std::int64_t>(bytes, 1))),
        bytes_(data_ == nullptr ? 0 : bytes) {}
  Memory(Memory&& other) noexcept { *this = std::move(other); }
  Memory& operator=(Memory&& other) noexcept {
    std::swap(device_, other.device_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Memory() {
    if (data_ != nullptr) device_->release(data_);
  }

  explicit operator bool() const { return data_ != nullptr; }
  std::int64_t bytes() const { return bytes_; }
  template <typename T>
  T* as() const {
    return static_cast<T*>(data_);
  }

 private:
  Device* device_ = nullptr;
  void* data_ = nullptr;
  std::int64_t bytes_ = 0;
};

}  // namespace cinnabar::kernels::cuda
