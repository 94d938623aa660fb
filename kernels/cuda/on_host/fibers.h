// Blocks of threads as fibers of one system thread, for kernels/cuda/on_host/device.h. Everything here is per system
// thread.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "kernels/cuda/gpu_choice.h"

namespace cinnabar::kernels::cuda::on_host {

// In which order the threads of a block go on between barriers. Results must not depend on it.
enum class Order : std::uint8_t { forward, backward, mixed };
void set_order(Order order);

// What a thread of a block does.
struct Body {
  void (*run)(const void* call);
  const void* call;
};

// Runs `threads` (a multiple of 32, at most 1024) fibers to their ends; `enter` is called with a thread's number
// whenever that thread goes on. Throws std::logic_error when threads wait for others that will not come: a bug of the
// kernel, for a test to see.
void run_block(unsigned threads, Body body, void (*enter)(unsigned thread));

// From inside a thread: until all threads of the block, or of its warp, are here.
void wait_for_block();
void wait_for_warp();
// 32 values of the running thread's warp.
std::uint64_t* warp_slots();

// Memory that knows its bounds under the address sanitizer. Null beyond the limit that a test has set.
void* allocate(std::int64_t bytes);
void release(void* memory);
void set_memory_limit(std::int64_t bytes);  // of all that is allocated together; below 0: none
struct MemoryState {
  std::int64_t limit, used;
};
MemoryState memory_state();  // without a limit as if there were 64 GiB
// False: kernels are counted and not run, nothing is copied or cleared; for counting what a large forward takes.
void set_computes(bool computes);
bool computes();
// The GPUs that Device::open finds, or why it finds none; at first one, "this processor".
void show_gpus(Result<std::vector<Gpu>> gpus);
const Result<std::vector<Gpu>>& shown_gpus();
// What Device::wait reports from the next call on; for tests of a failing GPU.
void plan_failure(Status failure);
const Status& planned_failure();

}  // namespace cinnabar::kernels::cuda::on_host
