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

// bf16 <-> f32, round to nearest even (NaN stays NaN); f16 <-> f32 likewise, subnormals included.
constexpr float bf16_to_f32(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }
constexpr std::uint16_t f32_to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u)
    return static_cast<std::uint16_t>((bits >> 16) | 0x40);  // NaN stays quiet NaN
  return static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1)) >> 16);
}
float f16_to_f32(std::uint16_t bits);
std::uint16_t f32_to_f16(float value);

}  // namespace cinnabar::kernels
