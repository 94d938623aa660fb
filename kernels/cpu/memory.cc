#include "kernels/cpu/memory.h"

#include <sys/mman.h>

#include <utility>

#include "base/system.h"

namespace cinnabar::kernels::cpu {
namespace {
constexpr std::int64_t kHugePage = 2 << 20;
}

std::optional<Pages> Pages::map(std::int64_t bytes) {
  if (bytes < 0 || bytes > (std::int64_t{1} << 46)) return std::nullopt;
  Pages pages;
  pages.size_ = bytes;
  if (bytes == 0) bytes = 1;
  // Room to start on a huge page, for areas that fill at least one.
  const std::int64_t slack = bytes >= kHugePage ? kHugePage : 0;
  void* memory = mmap(nullptr, static_cast<std::size_t>(bytes + slack), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return std::nullopt;
  pages.mapping_ = static_cast<std::byte*>(memory);
  pages.mapped_ = bytes + slack;
  const auto address = reinterpret_cast<std::uintptr_t>(memory);
  pages.data_ = pages.mapping_ + (slack == 0 ? 0 : (kHugePage - address % kHugePage) % kHugePage);
  if (slack != 0) ask_for_huge_pages(pages.data_, static_cast<std::size_t>(bytes));
  return pages;
}

Pages::~Pages() {
  if (mapping_ != nullptr) munmap(mapping_, static_cast<std::size_t>(mapped_));
}

Pages::Pages(Pages&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      mapping_(std::exchange(other.mapping_, nullptr)),
      mapped_(std::exchange(other.mapped_, 0)),
      size_(std::exchange(other.size_, 0)) {}

Pages& Pages::operator=(Pages&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(mapping_, other.mapping_);
  std::swap(mapped_, other.mapped_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace cinnabar::kernels::cpu
