// The device of kernels/cuda/device.h as the CUDA runtime has it; for nvcc.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kernels/backend.h"
#include "kernels/cuda/gpu_choice.h"
#include "kernels/cuda/on_gpu/recording.h"
#include "kernels/cuda/staging.h"

// In front of a loop over registers, which have no index.
#define CINNABAR_UNROLL _Pragma("unroll")

namespace cinnabar::kernels::cuda {

struct Grid {
  unsigned x = 1, y = 1, z = 1;
};

class Device {
 public:
  static Result<std::unique_ptr<Device>> open(int wanted);
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  ~Device();

  const std::string& name() const { return name_; }
  const Status& failure() const { return failure_; }
  const Traffic& traffic() const { return traffic_; }
  DeviceMemory memory() const;
  std::int64_t releases() const { return releases_; }

  void* allocate(std::int64_t bytes);
  void release(void* memory);
  void to_device(void* to, const void* from, std::int64_t bytes);
  void to_host(void* to, const void* from, std::int64_t bytes);
  void on_device(void* to, const void* from, std::int64_t bytes) { copy(to, from, bytes, cudaMemcpyDeviceToDevice); }
  void clear(void* memory, std::int64_t bytes);
  void wait();

  // Launches in between are captured and not run. A capture that fails leaves an empty recording and no failure: its
  // launches can be run instead.
  void record();
  Recording recorded();
  void replay(const Recording& recording);

  template <typename... Parameters, typename... Arguments>
  void launch(Grid grid, unsigned threads, void (*kernel)(Parameters...), Arguments&&... arguments) {
    if (!failure_) return;
    ++traffic_.launches;
    kernel<<<dim3(grid.x, grid.y, grid.z), threads, 0, stream_>>>(std::forward<Arguments>(arguments)...);
    check(cudaGetLastError(), "starting a kernel");
  }

 private:
  Device() = default;
  void make_staging();
  void use() const { cudaSetDevice(gpu_); }  // the runtime's choice is each thread's own
  void count_copy(std::int64_t bytes);
  void copy(void* to, const void* from, std::int64_t bytes, cudaMemcpyKind kind);
  void check(cudaError_t error, const char* doing);

  int gpu_ = 0;
  cudaStream_t stream_ = nullptr;
  std::string name_;
  Status failure_;
  Traffic traffic_;
  std::int64_t releases_ = 0, before_ = 0;
  std::byte* pinned_ = nullptr;  // two halves of `staging_`, and as much for results
  Staging staging_;
  cudaEvent_t copied_[2] = {};  // all that was copied from a half before it was left
};

}  // namespace cinnabar::kernels::cuda
