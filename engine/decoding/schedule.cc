#include "engine/decoding/schedule.h"

#include <algorithm>
#include <cmath>

namespace cinnabar::engine {

int even_quota(int masked, int steps, int step) { return masked / steps + (step < masked % steps ? 1 : 0); }

int timestep_quota(int masked_left, int steps, int step) {
  if (step + 1 >= steps) return masked_left;
  constexpr double kEnd = 1e-3;
  const auto time = [&](int i) { return 1.0 + (kEnd - 1.0) * i / steps; };
  const double share = 1.0 - time(step + 1) / time(step);
  return std::clamp(static_cast<int>(std::floor(masked_left * share)), 0, masked_left);
}

}  // namespace cinnabar::engine
