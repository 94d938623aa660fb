// Launches that were captured, as a graph of the CUDA runtime.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <utility>

namespace cinnabar::kernels::cuda {

// A captured graph that can be started; empty when there is none.
class Recording {
 public:
  Recording() = default;
  Recording(cudaGraphExec_t graph, std::int64_t launches) : graph_(graph), launches_(launches) {}
  Recording(Recording&& other) noexcept { *this = std::move(other); }
  Recording& operator=(Recording&& other) noexcept {
    std::swap(graph_, other.graph_);
    std::swap(launches_, other.launches_);
    return *this;
  }
  ~Recording() {
    if (graph_ != nullptr) cudaGraphExecDestroy(graph_);
  }
  explicit operator bool() const { return graph_ != nullptr; }
  cudaGraphExec_t graph() const { return graph_; }
  std::int64_t launches() const { return launches_; }

 private:
  cudaGraphExec_t graph_ = nullptr;
  std::int64_t launches_ = 0;
};

}  // namespace cinnabar::kernels::cuda
