#include "kernels/cuda/gpu_choice.h"

namespace cinnabar::kernels::cuda {
namespace {

bool can_be_used(const Gpu& gpu) { return gpu.major >= 8; }

std::string lack_of(const Gpu& gpu) {
  return gpu.name + " has compute capability " + std::to_string(gpu.major) + "." + std::to_string(gpu.minor) +
         ", 8.0 (of 2020) is the least";
}

std::string listed(std::span<const Gpu> gpus) {
  std::string list;
  for (std::size_t i = 0; i < gpus.size(); ++i)
    list += (i == 0 ? "" : ", ") + std::to_string(i) + " (" + gpus[i].name + ")";
  return list;
}

}  // namespace

Result<int> choose_gpu(std::span<const Gpu> gpus, int wanted) {
  if (gpus.empty()) return Status::error("the driver shows no GPU");
  if (wanted >= static_cast<int>(gpus.size()))
    return Status::error("there is no GPU " + std::to_string(wanted) + "; there are " + listed(gpus));
  if (wanted >= 0) {
    const Gpu& gpu = gpus[static_cast<std::size_t>(wanted)];
    return can_be_used(gpu) ? Result<int>(wanted) : Status::error(lack_of(gpu));
  }
  int best = -1;
  for (int i = 0; i < static_cast<int>(gpus.size()); ++i) {
    const Gpu& gpu = gpus[static_cast<std::size_t>(i)];
    if (can_be_used(gpu) && (best < 0 || gpu.free > gpus[static_cast<std::size_t>(best)].free)) best = i;
  }
  return best >= 0 ? Result<int>(best) : Status::error(lack_of(gpus[0]));
}

}  // namespace cinnabar::kernels::cuda
