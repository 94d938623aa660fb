#include "engine/model/mapping.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <limits>

namespace cinnabar::engine {
namespace {

// An open regular file; closed at the end of its scope (a mapping outlives its descriptor).
class File {
 public:
  File(const std::string& path) {
    // O_NONBLOCK: opening a named pipe must not wait for a writer; it is refused below.
    descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info {};
    if (descriptor_ < 0 || ::fstat(descriptor_, &info) != 0) {
      status_ = Status::error(path + ": cannot open: " + std::strerror(errno));
    } else if (!S_ISREG(info.st_mode)) {
      status_ = Status::error(path + ": not a regular file");
    } else if (info.st_size <= 0) {
      status_ = Status::error(path + ": the file is empty");
    } else {
      size_ = info.st_size;
    }
  }
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  const Status& status() const { return status_; }
  int descriptor() const { return descriptor_; }
  std::int64_t size() const { return size_; }

 private:
  int descriptor_ = -1;
  std::int64_t size_ = 0;
  Status status_;
};

Status system_error(const std::string& path) {
  return Status::error(path + ": cannot map into memory: " + std::strerror(errno));
}

Result<std::int64_t> total_size(std::span<const Mapping::Part> parts) {
  std::int64_t total = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto& part = parts[i];
    if (part.bytes <= 0 || part.bytes > std::numeric_limits<std::int64_t>::max() / 2 - total)
      return Status::error(part.path + ": a part of " + std::to_string(part.bytes) + " bytes is not possible");
    if (i + 1 < parts.size() && part.bytes % Mapping::kPartAlignment != 0)
      return Status::error(part.path + ": expected a multiple of " + std::to_string(Mapping::kPartAlignment) +
                           " bytes, found " + std::to_string(part.bytes));
    total += part.bytes;
  }
  return total;
}

// Maps the part over the reserved range at `target`.
Status place(const Mapping::Part& part, std::byte* target) {
  const File file(part.path);
  if (!file.status()) return file.status();
  if (file.size() != part.bytes)
    return Status::error(part.path + ": expected " + std::to_string(part.bytes) + " bytes, found " +
                         std::to_string(file.size()));
  void* mapped =
      ::mmap(target, static_cast<std::size_t>(part.bytes), PROT_READ, MAP_PRIVATE | MAP_FIXED, file.descriptor(), 0);
  return mapped == MAP_FAILED ? system_error(part.path) : Status();
}

}  // namespace

Mapping::~Mapping() {
  // The only failure would be an invalid range, a bug of ours; nothing can be done about it here.
  ::munmap(const_cast<std::byte*>(data_), size_);
}

void Mapping::release(std::span<const std::byte> range) const {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(range.data()), own = reinterpret_cast<std::uintptr_t>(data_);
  if (begin < own || begin + range.size() > own + size_) return;
  const std::uintptr_t first = (begin + page - 1) / page * page, end = (begin + range.size()) / page * page;
  if (first >= end) return;
  // A refusal costs memory only.
  ::madvise(const_cast<std::byte*>(data_) + (first - own), end - first, MADV_DONTNEED);
}

Result<std::shared_ptr<const Mapping>> Mapping::open(const std::string& path) {
  const File file(path);
  if (!file.status()) return file.status();
  const auto size = static_cast<std::size_t>(file.size());
  void* mapped = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.descriptor(), 0);
  if (mapped == MAP_FAILED) return system_error(path);
  return std::shared_ptr<const Mapping>(new Mapping(static_cast<const std::byte*>(mapped), size));
}

Result<std::shared_ptr<const Mapping>> Mapping::open_parts(std::span<const Part> parts) {
  if (parts.empty()) return Status::error("a file in parts needs at least one part");
  const auto total = total_size(parts);
  if (!total) return total.status();
  const auto size = static_cast<std::size_t>(*total);
  // Reserve the whole range first, so that MAP_FIXED can only replace memory that is ours.
  void* reserved = ::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (reserved == MAP_FAILED) return system_error(parts[0].path);
  auto* base = static_cast<std::byte*>(reserved);
  std::shared_ptr<const Mapping> mapping(new Mapping(base, size));
  for (const auto& part : parts) {
    if (const auto status = place(part, base); !status) return status;
    base += part.bytes;
  }
  return mapping;
}

}  // namespace cinnabar::engine
