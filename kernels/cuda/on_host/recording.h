// Launches that are to be replayed, with the values that their arguments had, as a graph holds them.
#pragma once

#include <functional>
#include <vector>

namespace cinnabar::kernels::cuda {

struct Recording {
  std::vector<std::function<void()>> launches;
  explicit operator bool() const { return !launches.empty(); }
};

}  // namespace cinnabar::kernels::cuda
