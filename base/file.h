// Files of the operating system as values.
#pragma once

#include <utility>

namespace cinnabar {

// An open file descriptor with one owner; closed on destruction. -1: none.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor() { close(); }

  int get() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }
  int release() { return std::exchange(number_, -1); }
  void close();

 private:
  int number_ = -1;
};

// Whether reads and writes wait. False: the system refuses, and errno says why.
bool set_blocking(int descriptor, bool blocks);

// Puts something in the places of standard input, output and error that are closed, so that no file or socket gets them:
// what reads or writes there goes on to fail. Call it first.
void keep_standard_descriptors();

}  // namespace cinnabar
