#include <fcntl.h>
#include <mach-o/dyld.h>
#include <mach/mach.h>
#include <malloc/malloc.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

#include "base/system.h"

namespace cinnabar {
namespace {

std::int64_t nanoseconds(const timespec& time) { return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

// Descriptors that are made here are born without it: a program that another thread starts in between gets them, too.
bool close_on_exec(int descriptor) { return fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0; }

// What stream_socket and accept_client promise; none, with errno set, where the system refuses.
Descriptor set_up(Descriptor socket) {
  if (!socket) return socket;
  const int yes = 1;
  const bool done = close_on_exec(socket.get()) && set_blocking(socket.get(), false) &&
                    setsockopt(socket.get(), SOL_SOCKET, SO_NOSIGPIPE, &yes, sizeof yes) == 0;
  return done ? std::move(socket) : Descriptor();
}

}  // namespace

const int kNoSignal = 0;          // the sockets have SO_NOSIGPIPE
const short kNothingFollows = 0;  // there is no POLLRDHUP

std::string own_program() {
  std::uint32_t size = 0;
  _NSGetExecutablePath(nullptr, &size);
  std::string path(size, '\0');
  if (_NSGetExecutablePath(path.data(), &size) != 0) return {};
  char* whole = realpath(path.c_str(), nullptr);
  path = whole == nullptr ? "" : whole;
  std::free(whole);
  return path;
}

std::string own_image() { return own_program(); }

std::uint64_t resident_bytes() {
  mach_task_basic_info info{};
  mach_msg_type_number_t count = MACH_TASK_BASIC_INFO_COUNT;
  const auto said = task_info(mach_task_self(), MACH_TASK_BASIC_INFO, reinterpret_cast<task_info_t>(&info), &count);
  return said == KERN_SUCCESS ? info.resident_size : 0;
}

std::uint64_t available_bytes() {
  vm_statistics64 info{};
  mach_msg_type_number_t count = HOST_VM_INFO64_COUNT;
  const mach_port_t host = mach_host_self();
  const auto said = host_statistics64(host, HOST_VM_INFO64, reinterpret_cast<host_info64_t>(&info), &count);
  mach_port_deallocate(mach_task_self(), host);
  if (said != KERN_SUCCESS) return 0;
  const std::uint64_t pages = std::uint64_t{info.free_count} + info.inactive_count + info.purgeable_count;
  return pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

void return_freed_memory() { malloc_zone_pressure_relief(nullptr, 0); }

void ask_for_huge_pages(void*, std::size_t) {}  // pages have 16 KiB, and there are no others to ask for

FileTimes times_of(const struct stat& file) { return {nanoseconds(file.st_mtimespec), nanoseconds(file.st_ctimespec)}; }

Descriptor stream_socket(int family) { return set_up(Descriptor(socket(family, SOCK_STREAM, 0))); }

Descriptor accept_client(int listener) { return set_up(Descriptor(accept(listener, nullptr, nullptr))); }

std::array<Descriptor, 2> make_pipe() {
  std::array<int, 2> ends{-1, -1};
  if (pipe(ends.data()) != 0) return {};
  std::array<Descriptor, 2> made{Descriptor(ends[0]), Descriptor(ends[1])};
  return close_on_exec(ends[0]) && close_on_exec(ends[1]) ? std::move(made) : std::array<Descriptor, 2>{};
}

void close_from(int first) {
  for (int descriptor = getdtablesize(); descriptor-- > first;) close(descriptor);
}

}  // namespace cinnabar
