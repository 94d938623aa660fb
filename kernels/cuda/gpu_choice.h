// Which of a machine's GPUs is used: the one that was named, or the one with the most free memory.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"

namespace cinnabar::kernels::cuda {

struct Gpu {
  std::string name;   // "NVIDIA H200"
  int major, minor;   // compute capability; 8.0 is the least
  std::int64_t free;  // bytes of its memory
};

// The place of `wanted` in the list, or with -1 of the one with the most free memory among those that can be used. Errors say
// which GPUs there are and what they lack.
Result<int> choose_gpu(std::span<const Gpu> gpus, int wanted);

}  // namespace cinnabar::kernels::cuda
