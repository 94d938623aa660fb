// The device of kernels/cuda/device.h as the CUDA runtime has it; for nvcc.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "kernels/backend.h"
#include "kernels/cuda/on_gpu/recording.h"

// In front of a loop over registers, which have no index.
#define CINNABAR_UNROLL _Pragma("unroll")

namespace cinnabar::kernels::cuda {

struct Grid {
  unsigned x = 1, y = 1, z = 1;
};

class Device {
 public:
  static Result<std::unique_ptr<Device>> open() {
    int count = 0;
    if (const cudaError_t error = cudaGetDeviceCount(&count); error != cudaSuccess || count == 0) {
      return Status::error("no GPU that CUDA can use here: " +
                           std::string(error == cudaSuccess ? "the driver shows none" : cudaGetErrorString(error)));
    }
    std::unique_ptr<Device> device(new Device);
    cudaDeviceProp properties;
    device->check(cudaSetDevice(0), "choosing the GPU");
    device->check(cudaGetDeviceProperties(&properties, 0), "asking for the GPU's properties");
    device->check(cudaStreamCreateWithFlags(&device->stream_, cudaStreamNonBlocking), "making a stream");
    if (!device->failure_) return device->failure_;
    device->name_ = properties.name;
    return std::move(device);  // nvcc 13.0 tries to copy it otherwise
  }
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  ~Device() {
    if (stream_ != nullptr) cudaStreamDestroy(stream_);
  }

  const std::string& name() const { return name_; }
  const Status& failure() const { return failure_; }

  const Traffic& traffic() const { return traffic_; }
  std::int64_t releases() const { return releases_; }
  void* allocate(std::int64_t bytes) {
    void* memory = nullptr;
    ++traffic_.allocations;
    if (cudaMalloc(&memory, static_cast<std::size_t>(bytes)) == cudaSuccess) return memory;
    cudaGetLastError();  // no memory is the caller's to say
    return nullptr;
  }
  void release(void* memory) {
    ++releases_;
    cudaFree(memory);
  }

  void to_device(void* to, const void* from, std::int64_t bytes) {
    copy(to, from, bytes, cudaMemcpyHostToDevice);  // of pageable memory: staged before it returns
  }
  void to_host(void* to, const void* from, std::int64_t bytes) {
    copy(to, from, bytes, cudaMemcpyDeviceToHost);
    wait();
  }
  void on_device(void* to, const void* from, std::int64_t bytes) { copy(to, from, bytes, cudaMemcpyDeviceToDevice); }

  // Launches in between are captured and not run. A capture that fails leaves an empty recording and no failure: its
  // launches can be run instead.
  void record() {
    before_ = traffic_.launches;
    if (failure_) check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), "beginning a capture");
  }
  Recording recorded() {
    const std::int64_t launches = std::exchange(traffic_.launches, before_) - before_;
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t executable = nullptr;
    if (!failure_) return {};
    if (cudaStreamEndCapture(stream_, &graph) != cudaSuccess || graph == nullptr ||
        cudaGraphInstantiate(&executable, graph, 0) != cudaSuccess) {
      executable = nullptr;
      cudaGetLastError();
    }
    if (graph != nullptr) cudaGraphDestroy(graph);
    return executable == nullptr ? Recording() : Recording(executable, launches);
  }
  void replay(const Recording& recording) {
    if (!failure_) return;
    ++traffic_.graphs;
    traffic_.launches += recording.launches();
    check(cudaGraphLaunch(recording.graph(), stream_), "starting a recorded forward");
  }
  void clear(void* memory, std::int64_t bytes) {
    if (failure_) check(cudaMemsetAsync(memory, 0, static_cast<std::size_t>(bytes), stream_), "clearing memory");
  }
  void wait() {
    ++traffic_.waits;
    if (failure_) check(cudaStreamSynchronize(stream_), "waiting for the GPU");
  }

  template <typename... Parameters, typename... Arguments>
  void launch(Grid grid, unsigned threads, void (*kernel)(Parameters...), Arguments&&... arguments) {
    if (!failure_) return;
    ++traffic_.launches;
    kernel<<<dim3(grid.x, grid.y, grid.z), threads, 0, stream_>>>(std::forward<Arguments>(arguments)...);
    check(cudaGetLastError(), "starting a kernel");
  }

 private:
  Device() = default;
  void copy(void* to, const void* from, std::int64_t bytes, cudaMemcpyKind kind) {
    if (kind != cudaMemcpyDeviceToDevice) {
      ++traffic_.copies;
      traffic_.bytes += bytes;
    }
    if (failure_) check(cudaMemcpyAsync(to, from, static_cast<std::size_t>(bytes), kind, stream_), "copying");
  }
  void check(cudaError_t error, const char* doing) {
    if (error == cudaSuccess || !failure_) return;
    failure_ = Status::error("the GPU failed while " + std::string(doing) + ": " + cudaGetErrorString(error));
  }

  cudaStream_t stream_ = nullptr;
  std::string name_;
  Status failure_;
  Traffic traffic_;
  std::int64_t releases_ = 0, before_ = 0;
};

}  // namespace cinnabar::kernels::cuda
