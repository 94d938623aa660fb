#include "kernels/cuda/on_host/fibers.h"

#include <ucontext.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace cinnabar::kernels::cuda::on_host {
namespace {

constexpr std::size_t kStackBytes = 64 << 10;
constexpr unsigned kWarp = 32;

enum class State : std::uint8_t { runs, waits_for_warp, waits_for_block, done };

// One thread of a block. Its stack serves block after block.
struct Fiber {
  ucontext_t context;
  std::unique_ptr<char[]> stack = std::make_unique<char[]>(kStackBytes);
  State state = State::done;
};

struct Scheduler {
  std::vector<std::unique_ptr<Fiber>> fibers;
  std::vector<std::uint64_t> slots;  // [threads]
  ucontext_t home;
  Body body{};
  unsigned current = 0;
  Order order = Order::forward;
  std::uint64_t state = 1;  // of the mixed order
#if defined(__SANITIZE_ADDRESS__)
  const void* home_stack = nullptr;
  std::size_t home_bytes = 0;
#endif
};

Scheduler& scheduler() {
  static thread_local Scheduler one;
  return one;
}

// The address sanitizer has to be told that the stack changes.
void go_home(bool for_good) {
  Scheduler& s = scheduler();
  Fiber& fiber = *s.fibers[s.current];
#if defined(__SANITIZE_ADDRESS__)
  void* fake = nullptr;
  __sanitizer_start_switch_fiber(for_good ? nullptr : &fake, s.home_stack, s.home_bytes);
#endif
  static_cast<void>(for_good);
  swapcontext(&fiber.context, &s.home);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#endif
}

void start() {
  Scheduler& s = scheduler();
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, &s.home_stack, &s.home_bytes);
#endif
  s.body.run(s.body.call);
  s.fibers[s.current]->state = State::done;
  go_home(true);
}

void go_on(unsigned thread) {
  Scheduler& s = scheduler();
  Fiber& fiber = *s.fibers[thread];
  s.current = thread;
#if defined(__SANITIZE_ADDRESS__)
  void* fake = nullptr;
  __sanitizer_start_switch_fiber(&fake, fiber.stack.get(), kStackBytes);
#endif
  swapcontext(&s.home, &fiber.context);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#endif
}

std::vector<unsigned> turns(unsigned threads) {
  Scheduler& s = scheduler();
  std::vector<unsigned> order(threads);
  for (unsigned i = 0; i < threads; ++i) order[i] = s.order == Order::backward ? threads - 1 - i : i;
  if (s.order != Order::mixed) return order;
  for (unsigned i = threads; i > 1; --i) {
    s.state = s.state * 6364136223846793005u + 1442695040888963407u;
    std::swap(order[i - 1], order[(s.state >> 33) % i]);
  }
  return order;
}

// Lets threads go on that have waited for one another. False: all are done.
bool release_waiting(unsigned threads) {
  Scheduler& s = scheduler();
  const auto count = [&](unsigned first, unsigned end, State state) {
    return static_cast<unsigned>(std::count_if(s.fibers.begin() + first, s.fibers.begin() + end,
                                               [&](const auto& fiber) { return fiber->state == state; }));
  };
  const auto wake = [&](unsigned first, unsigned end) {
    for (unsigned i = first; i < end; ++i) s.fibers[i]->state = State::runs;
  };
  if (count(0, threads, State::done) == threads) return false;
  bool released = false;
  for (unsigned first = 0; first < threads; first += kWarp) {
    if (count(first, first + kWarp, State::waits_for_warp) != kWarp) continue;
    wake(first, first + kWarp);
    released = true;
  }
  if (released) return true;
  if (count(0, threads, State::waits_for_block) != threads)
    throw std::logic_error("a kernel's threads do not all reach the same barrier");
  wake(0, threads);
  return true;
}

void wait_as(State state) {
  Scheduler& s = scheduler();
  s.fibers[s.current]->state = state;
  go_home(false);
}

struct Planned {
  std::int64_t used = 0;
  std::int64_t limit = -1;
  bool computes = true;
  Result<std::vector<Gpu>> gpus = std::vector<Gpu>{{"this processor", 9, 0, 0}};
  Status failure;
};

Planned& planned() {
  static thread_local Planned one;
  return one;
}

constexpr std::size_t kHeader = 64;  // keeps what follows aligned; holds the size

}  // namespace

void set_order(Order order) { scheduler().order = order; }

void run_block(unsigned threads, Body body, void (*enter)(unsigned thread)) {
  Scheduler& s = scheduler();
  while (s.fibers.size() < threads) s.fibers.push_back(std::make_unique<Fiber>());
  s.slots.resize(std::max<std::size_t>(s.slots.size(), threads));
  s.body = body;
  for (unsigned i = 0; i < threads; ++i) {
    Fiber& fiber = *s.fibers[i];
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.get();
    fiber.context.uc_stack.ss_size = kStackBytes;
    fiber.context.uc_link = nullptr;
    makecontext(&fiber.context, start, 0);
    fiber.state = State::runs;
  }
  do {
    for (const unsigned thread : turns(threads)) {
      if (s.fibers[thread]->state != State::runs) continue;
      enter(thread);
      go_on(thread);
    }
  } while (release_waiting(threads));
}

void wait_for_block() { wait_as(State::waits_for_block); }
void wait_for_warp() { wait_as(State::waits_for_warp); }

std::uint64_t* warp_slots() {
  Scheduler& s = scheduler();
  return s.slots.data() + s.current / kWarp * kWarp;
}

void* allocate(std::int64_t bytes) {
  Planned& m = planned();
  if (m.limit >= 0 && m.used + bytes > m.limit) return nullptr;
  const std::size_t all = (static_cast<std::size_t>(bytes) + 2 * kHeader - 1) / kHeader * kHeader;
  auto* whole = static_cast<char*>(std::aligned_alloc(kHeader, all));
  if (whole == nullptr) return nullptr;
  *reinterpret_cast<std::int64_t*>(whole) = bytes;
  m.used += bytes;
  return whole + kHeader;
}

void release(void* released) {
  if (released == nullptr) return;
  char* whole = static_cast<char*>(released) - kHeader;
  planned().used -= *reinterpret_cast<std::int64_t*>(whole);
  std::free(whole);
}

void set_memory_limit(std::int64_t bytes) { planned().limit = bytes; }
MemoryState memory_state() {
  const std::int64_t limit = planned().limit;
  return {limit < 0 ? std::int64_t{64} << 30 : limit, planned().used};
}
void set_computes(bool computes) { planned().computes = computes; }
bool computes() { return planned().computes; }
void show_gpus(Result<std::vector<Gpu>> gpus) { planned().gpus = std::move(gpus); }
const Result<std::vector<Gpu>>& shown_gpus() { return planned().gpus; }
void plan_failure(Status failure) { planned().failure = std::move(failure); }
const Status& planned_failure() { return planned().failure; }

}  // namespace cinnabar::kernels::cuda::on_host
