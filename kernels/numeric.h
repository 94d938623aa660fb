// Number formats in which weights are stored, and their exact expansion to f32. The block formats are GGUF's (ggml's
// q-types); the layouts are described at each expansion in numeric.cc. This is the reference every packed product is
// tested against.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cinnabar::kernels {

enum class DType : std::uint8_t {
  f32,
  f16,
  bf16,
  q8_0,
  q4_0,
  q4_1,
  q5_0,
  q5_1,
  iq4_nl,
  q4_k,
  q5_k,
  q6_k,
  q2_k,
  q3_k,
  iq4_xs,
  mxfp4
};
inline constexpr int kDTypeCount = 16;

// A format stores `block_values` consecutive values of one row in `block_bytes` bytes (1 value for plain floats).
struct DTypeInfo {
  std::string_view name;  // as llama.cpp prints it: "Q4_K"
  int block_values;
  int block_bytes;
};
const DTypeInfo& info(DType dtype);

// Bytes of a row of `values` values; `values` must be a multiple of the format's block (callers check untrusted input).
std::int64_t row_bytes(DType dtype, std::int64_t values);

// Expands `values` values (a multiple of the block) from `source` (any alignment) to `out`. Exact: every format's value
// is representable in f32 or rounded once as ggml's own reference does.
void dequantize(DType dtype, const std::byte* source, float* out, std::int64_t values);

// Q4_K and Q5_K pack eight 6-bit scales and eight 6-bit minima in 12 bytes: the first four of each in bytes 0-3 and
// 4-7, the low four bits of the others in bytes 8-11 and their top two bits above the first ones.
struct ScaleMin {
  int scale, min;
};
constexpr ScaleMin k_scale_min(const std::byte* packed, int sub) {
  const auto at = [packed](int i) { return std::to_integer<int>(packed[i]); };
  if (sub < 4) return {at(sub) & 63, at(sub + 4) & 63};
  return {(at(sub + 4) & 15) | at(sub - 4) >> 6 << 4, at(sub + 4) >> 4 | at(sub) >> 6 << 4};
}

// A block of 256 values of Q4_K, Q5_K or Q6_K in its parts: value i is (d scales[i / run]) (codes[i] - offset) - dmin
// mins[i / run], with run = kKBlockValues / runs.
inline constexpr int kKBlockValues = 256;
struct KBlock {
  int runs;                // 8; of Q6_K 16
  int offset;              // 0; of Q6_K 32
  std::uint16_t d, dmin;   // f16
  std::int8_t scales[16];  // of the first `runs`
  std::uint8_t mins[16];
  std::uint8_t codes[kKBlockValues];
};
// How many bits a code of a format has that read_k_block knows; 0: it does not.
int k_code_bits(DType dtype);
KBlock read_k_block(DType dtype, const std::byte* block);

// bf16 <-> f32, round to nearest even (NaN stays NaN); f16 <-> f32 likewise, subnormals included.
constexpr float bf16_to_f32(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }
constexpr std::uint16_t f32_to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u)
    return static_cast<std::uint16_t>((bits >> 16) | 0x40);  // NaN stays quiet NaN
  return static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1)) >> 16);
}
constexpr float f16_to_f32(std::uint16_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000) << 16;
  const std::uint32_t exponent = (bits >> 10) & 31;
  const std::uint32_t fraction = bits & 1023;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | (fraction << 13));
  if (exponent != 0) return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
  const float size = static_cast<float>(fraction) * 0x1p-24f;  // subnormal
  return sign == 0 ? size : -size;
}

constexpr std::uint16_t f32_to_f16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000);
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<std::uint16_t>(sign | 0x7e00);
  if (magnitude >= 0x477ff000u) return static_cast<std::uint16_t>(sign | 0x7c00);  // 65520 and above round to infinity
  const int exponent = static_cast<int>(magnitude >> 23) - 127;
  if (exponent < -25) return sign;
  // Shift the 24-bit significand so that one unit is the last kept bit; a carry runs into the exponent by itself.
  const std::uint32_t significand = (magnitude & 0x7fffffu) | 0x800000u;
  const int shift = exponent >= -14 ? 13 : -1 - exponent;
  const std::uint32_t kept = significand >> shift;
  const std::uint32_t rest = significand & ((1u << shift) - 1);
  const std::uint32_t half = 1u << (shift - 1);
  const std::uint32_t rounded = kept + ((rest > half || (rest == half && (kept & 1) != 0)) ? 1 : 0);
  const std::uint32_t base = exponent >= -14 ? static_cast<std::uint32_t>(exponent + 14) << 10 : 0;
  return static_cast<std::uint16_t>(sign | (base + rounded));
}

}  // namespace cinnabar::kernels
