#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string_view>

#include "base/system.h"

namespace cinnabar {
namespace {

constexpr const char* kImage = "/proc/self/exe";

std::int64_t nanoseconds(const timespec& time) { return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

}  // namespace

const int kNoSignal = MSG_NOSIGNAL;
const short kNothingFollows = POLLRDHUP;

std::string own_program() {
  std::array<char, 4096> path{};
  const auto length = readlink(kImage, path.data(), path.size());
  std::string program(path.data(), length < 0 ? 0 : static_cast<std::size_t>(length));
  constexpr std::string_view kDeleted = " (deleted)";
  if (program.ends_with(kDeleted)) program.resize(program.size() - kDeleted.size());
  return program;
}

std::string own_image() { return kImage; }

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t size = 0, resident = 0;
  file >> size >> resident;
  return file ? resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) : 0;
}

std::uint64_t available_bytes() {
  constexpr std::string_view kName = "MemAvailable:";  // "MemAvailable:   123456 kB"
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(kName)) return std::strtoull(line.c_str() + kName.size(), nullptr, 10) * 1024;
  }
  return 0;
}

void return_freed_memory() { malloc_trim(0); }

void ask_for_huge_pages(void* begin, std::size_t bytes) { madvise(begin, bytes, MADV_HUGEPAGE); }

FileTimes times_of(const struct stat& file) { return {nanoseconds(file.st_mtim), nanoseconds(file.st_ctim)}; }

Descriptor stream_socket(int family) {
  return Descriptor(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

Descriptor accept_client(int listener) {
  return Descriptor(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
}

std::array<Descriptor, 2> make_pipe() {
  std::array<int, 2> ends{-1, -1};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

void close_from(int first) { close_range(static_cast<unsigned>(first), ~0U, 0); }

}  // namespace cinnabar
