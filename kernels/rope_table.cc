#include "kernels/rope_table.h"

#include <cmath>

namespace cinnabar::kernels {

void extend(RopeTable& table, std::int64_t positions) {
  if (table.positions >= positions) return;
  const int half = table.spec.head_size / 2;
  const std::int64_t end = (positions + 1023) / 1024 * 1024;
  table.cosines.resize(end * half);
  table.sines.resize(end * half);
  for (int i = 0; i < half; ++i) {
    const double frequency = std::pow(static_cast<double>(table.spec.theta), -2.0 * i / table.spec.head_size);
    for (std::int64_t position = table.positions; position < end; ++position) {
      table.cosines[position * half + i] = static_cast<float>(std::cos(static_cast<double>(position) * frequency));
      table.sines[position * half + i] = static_cast<float>(std::sin(static_cast<double>(position) * frequency));
    }
  }
  table.positions = end;
}

}  // namespace cinnabar::kernels
