// Weights of 4 bits (Compute::int4): codes from 0 to 15 in groups of kInt4Group inner values, each with a scale and an
// offset, value = offset + scale * (code - 8). Blocks of Q4_0, Q4_1 and Q4_K are such groups, and their codes are kept;
// values of other formats are rounded, with no offset. Plain functions, which kernels of a device call, too.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/numeric.h"

namespace cinnabar::kernels {

inline constexpr int kInt4Group = 32;

// Both f16.
struct Int4Scale {
  std::uint16_t scale, offset;
};

constexpr bool has_int4_codes(DType dtype) {
  return dtype == DType::q4_0 || dtype == DType::q4_1 || dtype == DType::q4_k;
}
constexpr bool has_int4_offsets(DType dtype) { return dtype == DType::q4_1 || dtype == DType::q4_k; }

namespace int4 {

constexpr int byte_at(const std::byte* bytes, std::int64_t i) { return std::to_integer<int>(bytes[i]); }
constexpr std::uint16_t half_at(const std::byte* bytes, std::int64_t i) {
  return static_cast<std::uint16_t>(byte_at(bytes, i) | byte_at(bytes, i + 1) << 8);
}

// Group `sub` of a block of Q4_K: (d scale) code - (dmin min).
constexpr Int4Scale scale_of_q4_k(const std::byte* block, int sub) {
  const auto [scale, min] = k_scale_min(block + 4, sub);
  const float step = f16_to_f32(half_at(block, 0)) * static_cast<float>(scale);
  const float least = f16_to_f32(half_at(block, 2)) * static_cast<float>(min);
  return {f32_to_f16(step), f32_to_f16(8 * step - least)};
}

}  // namespace int4

// The scale of group `group` of a row in a format that has codes. Scales of Q4_K are rounded to f16.
constexpr Int4Scale stored_int4_scale(DType dtype, const std::byte* row, std::int64_t group) {
  if (dtype == DType::q4_0) return {int4::half_at(row, group * 18), 0};
  if (dtype == DType::q4_k) return int4::scale_of_q4_k(row + group / 8 * 144, static_cast<int>(group % 8));
  const std::uint16_t scale = int4::half_at(row, group * 20);
  return {scale, f32_to_f16(8 * f16_to_f32(scale) + f16_to_f32(int4::half_at(row, group * 20 + 2)))};
}

// Its code of a column.
constexpr int stored_int4_code(DType dtype, const std::byte* row, std::int64_t column) {
  const std::int64_t group = column / kInt4Group, j = column % kInt4Group;
  if (dtype == DType::q4_k) {
    const std::int64_t sub = group % 8;
    return (int4::byte_at(row, group / 8 * 144 + 16 + 32 * (sub / 2) + j) >> (4 * (sub % 2))) & 15;
  }
  const std::int64_t codes = dtype == DType::q4_0 ? group * 18 + 2 : group * 20 + 4;
  return (int4::byte_at(row, codes + j % 16) >> (j < 16 ? 0 : 4)) & 15;
}

// Rounding: the value that is farthest from zero becomes code 0, which is 8 steps away.
constexpr float farther(float a, float b) {
  const float size_a = a < 0 ? -a : a, size_b = b < 0 ? -b : b;
  return size_a > size_b || (size_a == size_b && a > b) ? a : b;
}
constexpr std::uint16_t rounded_int4_scale(float farthest) { return f32_to_f16(farthest / -8.0f); }
constexpr int rounded_int4_code(float value, float scale) {
  const float at = scale == 0 ? 8.5f : value / scale + 8.5f;
  return at >= 15 ? 15 : at >= 1 ? static_cast<int>(at) : 0;  // 0 for what is no number, too
}

// The values that the codes of a row stand for, to `out`. As dequantize(); cols may be any number where the format's
// block is one value.
void expand_as_int4(DType dtype, const std::byte* row, float* out, std::int64_t cols);

}  // namespace cinnabar::kernels
