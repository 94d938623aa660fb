// Read-only memory of a file, or of the parts of a file joined in address space without a copy.
//
// Safety: sizes are taken from the open descriptor when mapping, and readers check every offset against them. A file
// that another process shortens afterwards reads as zeros where the program guards its pages (base/page_guard.h), so
// lost_pages() is asked when all is read: replace model files by renaming a new one into place, never by writing into the
// old one (a rename leaves the mapped file intact).
//
// Immutable, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/page_guard.h"
#include "base/result.h"

namespace cinnabar::engine {

class Mapping {
 public:
  // One piece of a file that was cut into parts. `bytes` is what the manifest promises.
  struct Part {
    std::string path;
    std::int64_t bytes;
  };
  // All parts but the last are a multiple of this: at least the page size of every machine we run on.
  static constexpr std::int64_t kPartAlignment = 65536;

  // Errors: not there, not a regular file, empty.
  static Result<std::shared_ptr<const Mapping>> open(const std::string& path);
  // The parts at adjacent addresses, in order. Errors also: a size that differs from the promised one, or is not
  // aligned.
  static Result<std::shared_ptr<const Mapping>> open_parts(std::span<const Part> parts);

  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping();

  // Valid while the Mapping lives.
  std::span<const std::byte> bytes() const { return {data_, size_}; }
  // Lets go of the memory that the whole pages of `range` take; they are read from the file again when they are looked at.
  // Of a range that lies elsewhere nothing.
  void release(std::span<const std::byte> range) const;

 private:
  Mapping(const std::byte* data, std::size_t size) : data_(data), size_(size), guarded_(data, size) {}

  const std::byte* data_;
  std::size_t size_;
  GuardedPages guarded_;
};

}  // namespace cinnabar::engine
