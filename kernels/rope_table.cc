#include "kernels/rope_table.h"

#include <algorithm>
#include <cmath>

namespace cinnabar::kernels {

RopeTable rope_table_for(const RopeSpec& spec) {
  RopeTable table;
  table.divisors.assign(spec.divisors.begin(), spec.divisors.end());
  table.spec = spec;
  table.spec.divisors = {};
  return table;
}

bool is_for(const RopeTable& table, const RopeSpec& spec) {
  return table.spec.theta == spec.theta && table.spec.head_size == spec.head_size &&
         table.spec.turned() == spec.turned() && table.spec.magnitude == spec.magnitude &&
         std::equal(table.divisors.begin(), table.divisors.end(), spec.divisors.begin(), spec.divisors.end());
}

void extend(RopeTable& table, std::int64_t positions) {
  if (table.positions >= positions) return;
  const int half = table.spec.turned() / 2;
  const std::int64_t end = (positions + 1023) / 1024 * 1024;
  const double magnitude = table.spec.magnitude;
  table.cosines.resize(end * half);
  table.sines.resize(end * half);
  for (int i = 0; i < half; ++i) {
    double frequency = std::pow(static_cast<double>(table.spec.theta), -2.0 * i / table.spec.turned());
    if (!table.divisors.empty()) frequency /= static_cast<double>(table.divisors[i]);
    for (std::int64_t position = table.positions; position < end; ++position) {
      table.cosines[position * half + i] =
          static_cast<float>(magnitude * std::cos(static_cast<double>(position) * frequency));
      table.sines[position * half + i] =
          static_cast<float>(magnitude * std::sin(static_cast<double>(position) * frequency));
    }
  }
  table.positions = end;
}

}  // namespace cinnabar::kernels
