#include "kernels/cpu/parallel.h"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <utility>

#include "kernels/cpu/cpu_features.h"

namespace cinnabar::kernels::cpu {
namespace {

// Long enough to bridge the caller's work between two regions of a forward, short enough to leave a shared core alone.
constexpr std::chrono::microseconds kSpin{50};

// Spins until ready() or the time is up.
template <typename Ready>
bool spin(const Ready& ready) {
  const auto end = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < 32; ++i) {
      if (ready()) return true;
      spin_hint();
    }
  } while (std::chrono::steady_clock::now() < end);
  return ready();
}

int remaining(std::uint64_t ticket) { return static_cast<int>(ticket & 0xffffffffu); }

}  // namespace

Pool::Pool(int threads) {
  assert(threads >= 1);
  workers_.reserve(threads - 1);
  for (int worker = 1; worker < threads; ++worker) workers_.emplace_back([this, worker] { work(worker); });
}

Pool::~Pool() {
  stopping_.store(true);
  wake_.fetch_add(1);
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void Pool::run(int tasks, TaskRef body) {
  if (tasks <= 0) return;
  if (tasks == 1 || workers_.empty()) {
    for (int task = 0; task < tasks; ++task) body(task, 0);
    return;
  }
  job_.body.store(body.body(), std::memory_order_relaxed);
  job_.call.store(body.function(), std::memory_order_relaxed);
  job_.tasks.store(tasks, std::memory_order_relaxed);
  finished_.store(0, std::memory_order_relaxed);
  const std::uint64_t generation = (ticket_.load(std::memory_order_relaxed) >> 32) + 1;
  ticket_.store(generation << 32 | static_cast<std::uint64_t>(tasks));
  if (sleepers_.load() > 0) {
    wake_.fetch_add(1);
    wake_.notify_all();
  }
  while (claim_and_run(0)) {
  }
  // What is left is only in the hands of workers that are running it.
  const auto done = [&] { return finished_.load(std::memory_order_acquire) == tasks; };
  if (spin(done)) return;
  caller_sleeps_.store(true);
  for (int count = finished_.load(); count != tasks; count = finished_.load()) finished_.wait(count);
  caller_sleeps_.store(false);
}

bool Pool::claim_and_run(int worker) {
  std::uint64_t ticket = ticket_.load(std::memory_order_acquire);
  for (;;) {
    if (remaining(ticket) == 0) return false;
    void* body = job_.body.load(std::memory_order_relaxed);
    auto* call = job_.call.load(std::memory_order_relaxed);
    const int tasks = job_.tasks.load(std::memory_order_relaxed);
    // Fails, with the current ticket, when another thread was faster or another region began.
    if (!ticket_.compare_exchange_weak(ticket, ticket - 1, std::memory_order_acq_rel, std::memory_order_acquire))
      continue;
    call(body, tasks - remaining(ticket), worker);
    finished_.fetch_add(1);
    if (caller_sleeps_.load()) finished_.notify_one();
    return true;
  }
}

void Pool::work(int worker) {
  flush_denormals();
  while (!stopping_.load(std::memory_order_relaxed)) {
    const int seen = wake_.load();
    const auto ready = [this] {
      return remaining(ticket_.load(std::memory_order_relaxed)) > 0 || stopping_.load(std::memory_order_relaxed);
    };
    if (spin(ready)) {
      while (claim_and_run(worker)) {
      }
      continue;
    }
    // The order of this increment, the look at the ticket, and the caller's store and look at `sleepers_` are one total
    // order: either we see the new region or the caller sees a sleeper and changes `wake_`.
    sleepers_.fetch_add(1);
    if (remaining(ticket_.load()) == 0 && !stopping_.load()) wake_.wait(seen);
    sleepers_.fetch_sub(1);
  }
}

FlushDenormals::FlushDenormals() : saved_(flush_denormals()) {}
FlushDenormals::~FlushDenormals() { restore_denormals(saved_); }

}  // namespace cinnabar::kernels::cpu
