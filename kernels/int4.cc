#include "kernels/int4.h"

#include <algorithm>

namespace cinnabar::kernels {
namespace {

float value_of(const Int4Scale& scale, int code) {
  return f16_to_f32(scale.offset) + f16_to_f32(scale.scale) * static_cast<float>(code - 8);
}

void round_group(float* values, std::int64_t count) {
  float farthest = 0;
  for (std::int64_t i = 0; i < count; ++i) farthest = farther(farthest, values[i]);
  const Int4Scale scale{rounded_int4_scale(farthest), 0};
  const float step = f16_to_f32(scale.scale);
  for (std::int64_t i = 0; i < count; ++i) values[i] = value_of(scale, rounded_int4_code(values[i], step));
}

}  // namespace

void expand_as_int4(DType dtype, const std::byte* row, float* out, std::int64_t cols) {
  if (has_int4_codes(dtype)) {
    for (std::int64_t k = 0; k < cols; ++k)
      out[k] = value_of(stored_int4_scale(dtype, row, k / kInt4Group), stored_int4_code(dtype, row, k));
    return;
  }
  dequantize(dtype, row, out, cols);
  for (std::int64_t k = 0; k < cols; k += kInt4Group)
    round_group(out + k, std::min<std::int64_t>(kInt4Group, cols - k));
}

}  // namespace cinnabar::kernels
