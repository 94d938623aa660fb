#include "base/page_guard.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>

namespace cinnabar {
namespace {

// Lock-free, because a signal's handler reads it. An entry is taken when its end is not 0.
struct Range {
  std::atomic<std::uintptr_t> begin = 0, end = 0;
};
std::array<Range, 256> ranges;
std::atomic<std::uint64_t> lost = 0;

bool is_guarded(std::uintptr_t address) {
  for (const Range& range : ranges)
    if (address >= range.begin && address < range.end) return true;
  return false;
}

// Only what may be called in a handler: mmap is a system call here.
void on_bus_error(int signal, siginfo_t* info, void*) {
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  void* begin = reinterpret_cast<void*>(address / page * page);
  if (info->si_code == BUS_ADRERR && is_guarded(address) &&
      mmap(begin, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED) {
    ++lost;
    return;
  }
  ::signal(signal, SIG_DFL);  // and the access, which is tried again, ends the process as it would have
}

}  // namespace

void guard_mapped_pages() {
  struct sigaction action {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO;
  sigemptyset(&action.sa_mask);
  sigaction(SIGBUS, &action, nullptr);
}

std::uint64_t lost_pages() { return lost; }

GuardedPages::GuardedPages(const void* begin, std::size_t bytes) : place_(ranges.size()) {
  const auto first = reinterpret_cast<std::uintptr_t>(begin);
  for (std::size_t place = 0; place < ranges.size(); ++place) {
    std::uintptr_t free = 0;
    if (!ranges[place].end.compare_exchange_strong(free, 1)) continue;
    ranges[place].begin = first;
    ranges[place].end = first + bytes;
    place_ = place;
    return;
  }
}

GuardedPages::~GuardedPages() {
  if (place_ == ranges.size()) return;
  ranges[place_].begin = 0;
  ranges[place_].end = 0;
}

}  // namespace cinnabar
