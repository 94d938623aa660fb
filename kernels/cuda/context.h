// What every operation of the CUDA backend works with: the device, and memory on it that grows to the largest call.
// Used by one thread at a time.
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "kernels/backend.h"
#include "kernels/cuda/device.h"
#include "kernels/rope_table.h"

namespace cinnabar::kernels::cuda {

// Memory on the device; empty when there was none.
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

// Small host arrays travel with a launch, so that no copy has to wait for an earlier one.
struct Ints {
  static constexpr std::int64_t kMost = 512;
  std::int32_t value[kMost];
};

// call(Ints, first, count) for runs of `values`.
template <typename Call>
void each_ints(std::span<const std::int32_t> values, const Call& call, std::int64_t most = Ints::kMost) {
  const auto size = static_cast<std::int64_t>(values.size());
  for (std::int64_t first = 0; first < size; first += most) {
    Ints ints{};
    const std::int64_t count = std::min(most, size - first);
    std::copy_n(values.begin() + first, count, ints.value);
    call(ints, first, count);
  }
}

struct DeviceRopeTable {
  RopeTable host;
  std::int64_t positions = 0;  // on the device
  Memory cosines, sines;
};

struct Context {
  explicit Context(std::unique_ptr<Device> opened) : device(std::move(opened)) {}

  // `memory` with at least `bytes`: zeros, or what the last operation left. False: there is none; the operation under
  // way has no result and failure() says so.
  bool grow(Memory& memory, std::int64_t bytes);
  Status failure() const { return no_memory.ok() ? device->failure() : no_memory; }

  std::unique_ptr<Device> device;
  Memory rounded, scales;  // activations of the product under way (linear.cu)
  Memory partial;          // attention of pieces of a sequence
  Memory logits, parts, requests, masks;
  std::vector<DeviceRopeTable> rope_tables;
  Status no_memory;
};

inline unsigned blocks(std::int64_t items, std::int64_t each) {
  return static_cast<unsigned>((items + each - 1) / each);
}

}  // namespace cinnabar::kernels::cuda
