// The device of kernels/cuda/device.h on this machine's processor: a block's threads are fibers, blocks run one after
// the other. Slow; for tests and for looking at a kernel with a debugger or a sanitizer.
//
// What it shows: indexing, masks, reductions, shared memory, missing barriers (run in several orders, a kernel without
// one gives different bits). What it cannot show: ordering of memory without barriers, speed.
#pragma once

#include <cassert>
#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "kernels/backend.h"
#include "kernels/cuda/gpu_choice.h"
#include "kernels/cuda/on_host/fibers.h"
#include "kernels/cuda/on_host/recording.h"
#include "kernels/cuda/staging.h"

// CUDA's own names. NOLINTBEGIN(bugprone-reserved-identifier)
#define __global__
#define __device__
#define __forceinline__ inline
#define __shared__ static thread_local
#define __launch_bounds__(...)
#define CINNABAR_UNROLL
// NOLINTEND(bugprone-reserved-identifier)

namespace cinnabar::kernels::cuda {

struct Grid {
  unsigned x = 1, y = 1, z = 1;
};

// Of the fiber that runs.
inline thread_local Grid threadIdx, blockIdx, blockDim, gridDim;

// NOLINTBEGIN(bugprone-reserved-identifier)
inline void __syncthreads() { on_host::wait_for_block(); }
inline void __syncwarp() { on_host::wait_for_warp(); }

template <typename T>
T __shfl_xor_sync(unsigned, T value, int lane_mask) {
  static_assert(sizeof(T) <= sizeof(std::uint64_t));
  std::uint64_t* slots = on_host::warp_slots();
  const unsigned lane = threadIdx.x % 32;
  std::memcpy(slots + lane, &value, sizeof value);
  on_host::wait_for_warp();
  std::memcpy(&value, slots + (lane ^ static_cast<unsigned>(lane_mask)), sizeof value);
  on_host::wait_for_warp();
  return value;
}
inline void __threadfence() {}
// NOLINTEND(bugprone-reserved-identifier)
inline unsigned atomicInc(unsigned* counter, unsigned largest) {
  const unsigned before = *counter;
  *counter = before >= largest ? 0 : before + 1;
  return before;
}

class Device {
 public:
  static Result<std::unique_ptr<Device>> open(int wanted);

  const std::string& name() const { return name_; }
  const Status& failure() const { return failure_; }
  const Traffic& traffic() const { return traffic_; }
  DeviceMemory memory() const;
  std::int64_t releases() const { return releases_; }
  void* allocate(std::int64_t bytes);
  void release(void* memory);
  // As on a GPU, through memory that is used again: the last copy from it is done late, so that one that nobody waited
  // for shows.
  void to_device(void* to, const void* from, std::int64_t bytes);
  void to_host(void* to, const void* from, std::int64_t bytes);
  void on_device(void* to, const void* from, std::int64_t bytes) { move(to, from, bytes); }
  void clear(void* memory, std::int64_t bytes);
  void wait();

  void record() { recording_ = std::make_unique<Recording>(); }
  Recording recorded() { return std::move(*std::exchange(recording_, nullptr)); }
  void replay(const Recording& recording) {
    ++traffic_.graphs;
    for (const auto& launch : recording.launches) launch();
  }

  template <typename... Parameters, typename... Arguments>
  void launch(Grid grid, unsigned threads, void (*kernel)(Parameters...), Arguments&&... arguments) {
    if (recording_ != nullptr) {
      recording_->launches.push_back(
          [=, this, ... values = std::decay_t<Arguments>(arguments)] { launch(grid, threads, kernel, values...); });
      return;
    }
    if (!failure_) return;
    finish_copies();
    ++traffic_.launches;
    if (!on_host::computes()) return;
    blockDim = {threads, 1, 1};
    gridDim = grid;
    for (unsigned z = 0; z < grid.z; ++z) {
      for (unsigned y = 0; y < grid.y; ++y) {
        for (unsigned x = 0; x < grid.x; ++x) {
          blockIdx = {x, y, z};
          const auto body = [&] { kernel(arguments...); };
          on_host::run_block(threads, {[](const void* call) { (*static_cast<const decltype(body)*>(call))(); }, &body},
                             [](unsigned thread) {
                               threadIdx = {thread, 0, 0};
                             });
        }
      }
    }
  }

 private:
  explicit Device(std::string name) : name_(std::move(name)) {}
  void meet_failure();
  void move(void* to, const void* from, std::int64_t bytes);
  void count_copy(std::int64_t bytes);
  void finish_copies();

  std::string name_;
  Status failure_;
  Traffic traffic_;
  std::int64_t releases_ = 0;
  std::unique_ptr<Recording> recording_;  // under way
  Staging staging_;
  std::unique_ptr<std::byte[]> staged_ = std::make_unique_for_overwrite<std::byte[]>(2 * Staging::kHalf);
  std::vector<std::pair<std::byte*, StagedPiece>> late_;  // copies to the device that nothing has needed yet
};

}  // namespace cinnabar::kernels::cuda
