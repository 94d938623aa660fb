#include <algorithm>
#include <cstring>

#include "kernels/cuda/on_gpu/device.h"

namespace cinnabar::kernels::cuda {
namespace {

std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

// Asking costs a context on that GPU, so only where there is a choice.
std::int64_t free_of(int gpu) {
  std::size_t free = 0, total = 0;
  const bool known = cudaSetDevice(gpu) == cudaSuccess && cudaMemGetInfo(&free, &total) == cudaSuccess;
  cudaGetLastError();  // one that cannot be asked has nothing to offer
  return known ? static_cast<std::int64_t>(free) : 0;
}

// All that the driver shows, or what is missing.
Result<std::vector<Gpu>> gpus() {
  int count = 0, driver = 0, runtime = 0;
  if (const cudaError_t error = cudaGetDeviceCount(&count); error != cudaSuccess && error != cudaErrorNoDevice) {
    cudaDriverGetVersion(&driver);
    cudaRuntimeGetVersion(&runtime);
    if (driver == 0) return Status::error("no NVIDIA driver is loaded");
    if (driver < runtime) {
      return Status::error("the NVIDIA driver is for CUDA " + version_text(driver) + ", this library is of " +
                           version_text(runtime) + ": a newer driver is needed");
    }
    return Status::error("no GPU that CUDA can use here: " + std::string(cudaGetErrorString(error)));
  }
  std::vector<Gpu> found;
  for (int i = 0; i < count; ++i) {
    cudaDeviceProp properties;
    if (const cudaError_t error = cudaGetDeviceProperties(&properties, i); error != cudaSuccess)
      return Status::error("asking for the GPU's properties: " + std::string(cudaGetErrorString(error)));
    found.push_back({properties.name, properties.major, properties.minor, count == 1 ? 0 : free_of(i)});
  }
  return found;
}

}  // namespace

Result<std::unique_ptr<Device>> Device::open(int wanted) {
  const auto found = gpus();
  if (!found) return found.status();
  const auto chosen = choose_gpu(*found, wanted);
  if (!chosen) return chosen.status();
  std::unique_ptr<Device> device(new Device);
  device->gpu_ = *chosen;
  device->check(cudaSetDevice(*chosen), "choosing the GPU");
  device->check(cudaStreamCreateWithFlags(&device->stream_, cudaStreamNonBlocking), "making a stream");
  if (!device->failure_) return device->failure_;
  const Gpu& gpu = (*found)[static_cast<std::size_t>(*chosen)];
  device->name_ = found->size() == 1 ? gpu.name : gpu.name + ", GPU " + std::to_string(*chosen);
  device->make_staging();
  return std::move(device);  // nvcc 13.0 tries to copy it otherwise
}

Device::~Device() {
  use();
  if (stream_ != nullptr) cudaStreamSynchronize(stream_);
  for (const cudaEvent_t event : copied_) {
    if (event != nullptr) cudaEventDestroy(event);
  }
  if (pinned_ != nullptr) cudaFreeHost(pinned_);
  if (stream_ != nullptr) cudaStreamDestroy(stream_);
}

DeviceMemory Device::memory() const {
  std::size_t free = 0, total = 0;
  use();
  if (!failure_ || cudaMemGetInfo(&free, &total) != cudaSuccess) return {};
  return {static_cast<std::int64_t>(total), static_cast<std::int64_t>(free)};
}

void* Device::allocate(std::int64_t bytes) {
  void* memory = nullptr;
  ++traffic_.allocations;
  use();
  if (cudaMalloc(&memory, static_cast<std::size_t>(bytes)) == cudaSuccess) return memory;
  cudaGetLastError();  // no memory is the caller's to say
  return nullptr;
}

void Device::release(void* memory) {
  ++releases_;
  use();
  cudaFree(memory);
}

void Device::to_device(void* to, const void* from, std::int64_t bytes) {
  count_copy(bytes);
  use();
  if (pinned_ == nullptr) return copy(to, from, bytes, cudaMemcpyHostToDevice);  // staged by the driver
  for (std::int64_t done = 0; done < bytes && failure_;) {
    const StagedPiece piece = staging_.next(bytes - done);
    if (piece.turns) {
      check(cudaEventRecord(copied_[1 - piece.half], stream_), "marking a copy");
      check(cudaEventSynchronize(copied_[piece.half]), "waiting for a copy");
    }
    std::memcpy(pinned_ + piece.offset, static_cast<const std::byte*>(from) + done,
                static_cast<std::size_t>(piece.bytes));
    copy(static_cast<std::byte*>(to) + done, pinned_ + piece.offset, piece.bytes, cudaMemcpyHostToDevice);
    done += piece.bytes;
  }
}

// Results have a part of the pinned memory of their own, behind the two halves.
void Device::to_host(void* to, const void* from, std::int64_t bytes) {
  count_copy(bytes);
  use();
  if (pinned_ == nullptr) {
    copy(to, from, bytes, cudaMemcpyDeviceToHost);
    return wait();
  }
  ++traffic_.waits;
  for (std::int64_t done = 0; done < bytes && failure_; done += Staging::kHalf) {
    const std::int64_t some = std::min(bytes - done, Staging::kHalf);
    copy(pinned_ + 2 * Staging::kHalf, static_cast<const std::byte*>(from) + done, some, cudaMemcpyDeviceToHost);
    check(cudaStreamSynchronize(stream_), "waiting for the GPU");
    if (!failure_) return;
    std::memcpy(static_cast<std::byte*>(to) + done, pinned_ + 2 * Staging::kHalf, static_cast<std::size_t>(some));
  }
}

void Device::record() {
  before_ = traffic_.launches;
  if (failure_) check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), "beginning a capture");
}

Recording Device::recorded() {
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

void Device::replay(const Recording& recording) {
  if (!failure_) return;
  ++traffic_.graphs;
  traffic_.launches += recording.launches();
  check(cudaGraphLaunch(recording.graph(), stream_), "starting a recorded forward");
}

void Device::clear(void* memory, std::int64_t bytes) {
  if (failure_) check(cudaMemsetAsync(memory, 0, static_cast<std::size_t>(bytes), stream_), "clearing memory");
}

void Device::wait() {
  ++traffic_.waits;
  if (failure_) check(cudaStreamSynchronize(stream_), "waiting for the GPU");
}

// Without it copies go through the driver's own.
void Device::make_staging() {
  void* pinned = nullptr;
  bool made = cudaMallocHost(&pinned, 3 * Staging::kHalf) == cudaSuccess;
  for (cudaEvent_t& event : copied_)
    made = made && cudaEventCreateWithFlags(&event, cudaEventDisableTiming) == cudaSuccess;
  cudaGetLastError();
  if (made)
    pinned_ = static_cast<std::byte*>(pinned);
  else if (pinned != nullptr)
    cudaFreeHost(pinned);
}

void Device::count_copy(std::int64_t bytes) {
  ++traffic_.copies;
  traffic_.bytes += bytes;
}

void Device::copy(void* to, const void* from, std::int64_t bytes, cudaMemcpyKind kind) {
  if (failure_) check(cudaMemcpyAsync(to, from, static_cast<std::size_t>(bytes), kind, stream_), "copying");
}

void Device::check(cudaError_t error, const char* doing) {
  if (error == cudaSuccess || !failure_) return;
  failure_ = Status::error("the GPU failed while " + std::string(doing) + ": " + cudaGetErrorString(error));
}

}  // namespace cinnabar::kernels::cuda
