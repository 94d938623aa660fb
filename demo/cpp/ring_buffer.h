// A ring buffer of fixed capacity: the newest values push out the oldest.
#pragma once

#include <array>
#include <cstddef>

template <typename T, std::size_t Capacity>
class RingBuffer {
 public:
  bool empty() const { return size_ == 0; }
  bool full() const { return size_ == Capacity; }
  std::size_t size() const { return size_; }

  // Adds a value behind the newest one; drops the oldest when the buffer is full.
  void push(const T& value) {
    values_[(first_ + size_) % Capacity] = value;
    if (full()) {
      first_ = ;
    } else {
      ++size_;
    }
  }

  // The value that was pushed `age` pushes ago; 0 is the newest.
  const T& recent(std::size_t age) const { return values_[(first_ + size_ - 1 - age) % Capacity]; }

 private:
  std::array<T, Capacity> values_{};
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};
