#include "kernels/cpu/parallel.h"

#include <atomic>
#include <bit>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <thread>
#include <vector>

namespace cinnabar::kernels::cpu {
namespace {

TEST_CASE("every task runs once, whatever the number of threads and tasks") {
  for (const int threads : {1, 2, 3, 8}) {
    Pool pool(threads);
    CHECK(pool.threads() == threads);
    for (int repeat = 0; repeat < 50; ++repeat) {
      for (const int tasks : {0, 1, 2, 7, 64, 300}) {
        std::vector<int> runs(tasks);
        std::vector<std::atomic<int>> busy(threads);
        std::atomic<bool> clash{false};
        const auto body = [&](int task, int worker) {
          if (busy[worker].fetch_add(1) != 0) clash = true;
          ++runs[task];
          busy[worker].fetch_sub(1);
        };
        pool.run(tasks, body);
        CHECK(runs == std::vector<int>(tasks, 1));
        CHECK_FALSE(clash);
      }
    }
  }
}

TEST_CASE("workers that went to sleep wake up for the next region") {
  Pool pool(4);
  for (int repeat = 0; repeat < 20; ++repeat) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    std::atomic<int> sum{0};
    const auto body = [&](int task, int) { sum += task; };
    pool.run(100, body);
    CHECK(sum == 4950);
  }
}

TEST_CASE("a caller waits for a slow task of a worker without spinning for ever") {
  Pool pool(2);
  std::atomic<int> done{0};
  const auto body = [&](int task, int) {
    if (task == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    ++done;
  };
  for (int repeat = 0; repeat < 5; ++repeat) pool.run(2, body);
  CHECK(done == 10);
}

TEST_CASE("several pools beside busy threads still finish every region") {
  std::atomic<bool> stop{false};
  // At a real-time priority the neighbours would keep all cores for ever.
  const auto latest = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  std::vector<std::thread> neighbours;
  neighbours.reserve(3);
  for (int i = 0; i < 3; ++i) {
    neighbours.emplace_back([&] {
      while (!stop && std::chrono::steady_clock::now() < latest) {
      }
    });
  }
  std::atomic<int> total{0};
  {
    std::vector<std::thread> callers;
    callers.reserve(3);
    for (int i = 0; i < 3; ++i) {
      callers.emplace_back([&] {
        Pool pool(4);
        const auto body = [&](int, int) { ++total; };
        for (int repeat = 0; repeat < 200; ++repeat) pool.run(16, body);
      });
    }
    for (std::thread& caller : callers) caller.join();
  }
  stop = true;
  for (std::thread& neighbour : neighbours) neighbour.join();
  CHECK(total == 3 * 200 * 16);
}

// Denormal results become zero, and denormal inputs count as zero.
bool flushed() {
  const volatile float smallest = std::numeric_limits<float>::min(), half = 0.5f;
  const volatile float denormal = std::numeric_limits<float>::denorm_min(), large = 1e30f;
  return std::bit_cast<std::uint32_t>(smallest * half) == 0 && std::bit_cast<std::uint32_t>(denormal * large) == 0;
}

TEST_CASE("denormals are flushed in workers, and in the caller only while asked") {
  Pool pool(3);
  std::atomic<int> plain{0};
  const auto body = [&](int, int worker) {
    if (worker != 0 && !flushed()) ++plain;
  };
  for (int repeat = 0; repeat < 20; ++repeat) pool.run(64, body);
  CHECK(plain == 0);
  CHECK_FALSE(flushed());
  {
    const FlushDenormals flush;
    CHECK(flushed());
  }
  CHECK_FALSE(flushed());
  CHECK(default_threads() >= 1);
}

}  // namespace
}  // namespace cinnabar::kernels::cpu
