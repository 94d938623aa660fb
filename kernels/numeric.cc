#include "kernels/numeric.h"

#include <array>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>

namespace cinnabar::kernels {
namespace {

constexpr std::array<DTypeInfo, kDTypeCount> kInfo = {{
    {"F32", 1, 4},
    {"F16", 1, 2},
    {"BF16", 1, 2},
    {"Q8_0", 32, 34},
    {"Q4_0", 32, 18},
    {"Q4_1", 32, 20},
    {"Q5_0", 32, 22},
    {"Q5_1", 32, 24},
    {"IQ4_NL", 32, 18},
    {"Q4_K", 256, 144},
    {"Q5_K", 256, 176},
    {"Q6_K", 256, 210},
    {"Q2_K", 256, 84},
    {"Q3_K", 256, 110},
    {"IQ4_XS", 256, 136},
    {"MXFP4", 32, 17},
}};

// The 16 levels an IQ4_NL code stands for.
constexpr std::array<float, 16> kIq4Levels = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

int byte_at(const std::byte* p, int i) { return std::to_integer<int>(p[i]); }

std::uint16_t half_at(const std::byte* p, int offset) {
  std::uint16_t bits;
  std::memcpy(&bits, p + offset, sizeof bits);
  return bits;
}

float f16_at(const std::byte* p, int offset) { return f16_to_f32(half_at(p, offset)); }

// Blocks of 32: value j in the low nibble of byte j, value j + 16 in its high nibble.
int nibble(const std::byte* codes, int j) { return j < 16 ? byte_at(codes, j) & 15 : byte_at(codes, j - 16) >> 4; }

// Q5 blocks keep the fifth bit of value j as bit j of a 32-bit word.
int fifth_bit(const std::byte* word, int j) { return ((byte_at(word, j / 8) >> (j % 8)) & 1) << 4; }

// { f16 d; i8 q[32] }: d q
void expand_q8_0(const std::byte* block, float* out) {
  const float d = f16_at(block, 0);
  for (int j = 0; j < 32; ++j) out[j] = d * static_cast<float>(static_cast<std::int8_t>(byte_at(block, 2 + j)));
}

// { f16 d; nibbles q[32] }: d (q - 8)
void expand_q4_0(const std::byte* block, float* out) {
  const float d = f16_at(block, 0);
  for (int j = 0; j < 32; ++j) out[j] = d * static_cast<float>(nibble(block + 2, j) - 8);
}

// { f16 d, m; nibbles q[32] }: d q + m
void expand_q4_1(const std::byte* block, float* out) {
  const float d = f16_at(block, 0);
  const float m = f16_at(block, 2);
  for (int j = 0; j < 32; ++j) out[j] = d * static_cast<float>(nibble(block + 4, j)) + m;
}

// { f16 d; u32 high bits; nibbles q[32] }: d (q - 16)
void expand_q5_0(const std::byte* block, float* out) {
  const float d = f16_at(block, 0);
  for (int j = 0; j < 32; ++j) {
    out[j] = d * static_cast<float>((nibble(block + 6, j) | fifth_bit(block + 2, j)) - 16);
  }
}

// { f16 d, m; u32 high bits; nibbles q[32] }: d q + m
void expand_q5_1(const std::byte* block, float* out) {
  const float d = f16_at(block, 0);
  const float m = f16_at(block, 2);
  for (int j = 0; j < 32; ++j) {
    out[j] = d * static_cast<float>(nibble(block + 8, j) | fifth_bit(block + 4, j)) + m;
  }
}

// { f16 d; nibbles q[32] }: d level[q]
void expand_iq4_nl(const std::byte* block, float* out) {
  const float d = f16_at(block, 0);
  for (int j = 0; j < 32; ++j) out[j] = d * kIq4Levels[nibble(block + 2, j)];
}

// The low nibbles of `count` bytes, then their high ones.
void put_nibbles(const std::byte* bytes, int count, std::uint8_t* codes) {
  for (int j = 0; j < count; ++j) codes[j] = std::to_integer<std::uint8_t>(bytes[j]) & 15;
  for (int j = 0; j < count; ++j) codes[count + j] = std::to_integer<std::uint8_t>(bytes[j]) >> 4;
}

// Of each of 32 bytes the `place`-th kBits bits, above a code's lowest four.
template <int kBits>
void add_high_bits(const std::byte* bytes, int place, std::uint8_t* codes) {
  for (int j = 0; j < 32; ++j) {
    const int high = (byte_at(bytes, j) >> (kBits * place)) & ((1 << kBits) - 1);
    codes[j] = static_cast<std::uint8_t>(codes[j] | high << 4);
  }
}

void read_scales_and_mins(const std::byte* packed, KBlock& to) {
  for (int sub = 0; sub < 8; ++sub) {
    const ScaleMin s = k_scale_min(packed, sub);
    to.scales[sub] = static_cast<std::int8_t>(s.scale);
    to.mins[sub] = static_cast<std::uint8_t>(s.min);
  }
}

// { f16 d, dmin; u8 scales[12]; nibbles q[256] }, eight sub-blocks of 32: (d scale) q - (dmin min). Sub-blocks 2i and
// 2i+1 are the low and high nibbles of the same 32 bytes.
KBlock read_q4_k(const std::byte* block) {
  KBlock out{8, 0, half_at(block, 0), half_at(block, 2), {}, {}, {}};
  read_scales_and_mins(block + 4, out);
  for (int pair = 0; pair < 4; ++pair) put_nibbles(block + 16 + 32 * pair, 32, out.codes + 64 * pair);
  return out;
}

// { f16 d, dmin; u8 scales[12]; u8 high[32]; nibbles q[256] }: as Q4_K; bit `sub` of high[j] is the fifth bit.
KBlock read_q5_k(const std::byte* block) {
  KBlock out{8, 0, half_at(block, 0), half_at(block, 2), {}, {}, {}};
  read_scales_and_mins(block + 4, out);
  for (int pair = 0; pair < 4; ++pair) put_nibbles(block + 48 + 32 * pair, 32, out.codes + 64 * pair);
  for (int sub = 0; sub < 8; ++sub) add_high_bits<1>(block + 16, sub, out.codes + 32 * sub);
  return out;
}

// { u8 low[128]; u8 high[64]; i8 scales[16]; f16 d }, two halves of 128, each four runs of 32: (d scale) (q - 32). Run
// r takes its low nibbles from bytes 32 (r % 2) on (low nibble for r < 2, high above) and bits 2r of the half's 32 high
// bytes; a scale covers 16 values.
KBlock read_q6_k(const std::byte* block) {
  KBlock out{16, 32, half_at(block, 208), 0, {}, {}, {}};
  for (int i = 0; i < 16; ++i) out.scales[i] = static_cast<std::int8_t>(byte_at(block, 192 + i));
  for (int half = 0; half < 2; ++half) {
    put_nibbles(block + 64 * half, 64, out.codes + 128 * half);
    for (int run = 0; run < 4; ++run) add_high_bits<2>(block + 128 + 32 * half, run, out.codes + 128 * half + 32 * run);
  }
  return out;
}

void expand_k(const KBlock& block, float* out) {
  const float d = f16_to_f32(block.d), dmin = f16_to_f32(block.dmin);
  const int run = kKBlockValues / block.runs;
  for (int r = 0; r < block.runs; ++r) {
    const float scale = d * static_cast<float>(block.scales[r]);
    const float min = dmin * static_cast<float>(block.mins[r]);
    for (int i = run * r; i < run * (r + 1); ++i)
      out[i] = scale * static_cast<float>(block.codes[i] - block.offset) - min;
  }
}
void expand_q4_k(const std::byte* block, float* out) { expand_k(read_q4_k(block), out); }
void expand_q5_k(const std::byte* block, float* out) { expand_k(read_q5_k(block), out); }
void expand_q6_k(const std::byte* block, float* out) { expand_k(read_q6_k(block), out); }

// Value i of 256 in four runs of 32 a half: run r takes bits 2r of the half's 32 bytes.
int two_bits(const std::byte* codes, int i) {
  return (byte_at(codes, 32 * (i / 128) + i % 32) >> (2 * (i % 128 / 32))) & 3;
}

// { u8 scales[16]; 2-bit q[256]; f16 d, dmin }, 16 values a scale: (d (s & 15)) q - dmin (s >> 4).
void expand_q2_k(const std::byte* block, float* out) {
  const float d = f16_at(block, 80);
  const float dmin = f16_at(block, 82);
  for (int i = 0; i < 256; ++i) {
    const int s = byte_at(block, i / 16);
    const float scale = d * static_cast<float>(s & 15);
    const float min = dmin * static_cast<float>(s >> 4);
    out[i] = scale * static_cast<float>(two_bits(block + 16, i)) - min;
  }
}

// { u8 high[32]; 2-bit q[256]; u8 scales[12]; f16 d }, 16 values a scale: d (s - 32) (q - (high bit ? 0 : 4)). Value i's
// high bit is bit i / 32 of byte i % 32. Of 16 scales of 6 bits the low nibbles lie in bytes 0-7 (the last eight in their
// upper halves), the top bits in bytes 8-11.
void expand_q3_k(const std::byte* block, float* out) {
  const float d = f16_at(block, 108);
  for (int i = 0; i < 256; ++i) {
    const int s = i / 16;
    const int low = (byte_at(block, 96 + s % 8) >> (4 * (s / 8))) & 15;
    const int scale = low | ((byte_at(block, 104 + s % 4) >> (2 * (s / 4))) & 3) << 4;
    const int high = (byte_at(block, i % 32) >> (i / 32)) & 1;
    const float step = d * static_cast<float>(scale - 32);
    out[i] = step * static_cast<float>(two_bits(block + 32, i) - (high != 0 ? 0 : 4));
  }
}

// { f16 d; u16 high; u8 low[4]; nibbles q[256] }, eight sub-blocks of 32 as IQ4_NL's: d (s - 32) level[q], s of four low
// bits and two high ones.
void expand_iq4_xs(const std::byte* block, float* out) {
  const float d = f16_at(block, 0);
  const int high = half_at(block, 2);
  for (int sub = 0; sub < 8; ++sub) {
    const int low = (byte_at(block, 4 + sub / 2) >> (4 * (sub % 2))) & 15;
    const float scale = d * static_cast<float>((low | ((high >> (2 * sub)) & 3) << 4) - 32);
    for (int j = 0; j < 32; ++j) out[32 * sub + j] = scale * kIq4Levels[nibble(block + 8 + 16 * sub, j)];
  }
}

// { u8 e; nibbles q[32] }: 2^(e - 127) times a float of one sign, two exponent and one fraction bit.
void expand_mxfp4(const std::byte* block, float* out) {
  constexpr std::array<float, 16> kLevels = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6, 0, -0.5f, -1, -1.5f, -2, -3, -4, -6};
  const float scale = std::ldexp(1.0f, byte_at(block, 0) - 127);
  for (int j = 0; j < 32; ++j) out[j] = scale * kLevels[nibble(block + 1, j)];
}

using Expand = void (*)(const std::byte*, float*);

void expand_blocks(const DTypeInfo& format, Expand expand, const std::byte* source, float* out, std::int64_t values) {
  assert(values % format.block_values == 0);
  for (std::int64_t i = 0; i < values; i += format.block_values) {
    expand(source, out + i);
    source += format.block_bytes;
  }
}

}  // namespace

const DTypeInfo& info(DType dtype) { return kInfo[static_cast<std::size_t>(dtype)]; }

std::int64_t row_bytes(DType dtype, std::int64_t values) {
  const DTypeInfo& format = info(dtype);
  assert(values % format.block_values == 0);
  return values / format.block_values * format.block_bytes;
}

void dequantize(DType dtype, const std::byte* source, float* out, std::int64_t values) {
  constexpr std::array<Expand, kDTypeCount> kExpand = {
      nullptr,       nullptr,     nullptr,     expand_q8_0, expand_q4_0, expand_q4_1, expand_q5_0,   expand_q5_1,
      expand_iq4_nl, expand_q4_k, expand_q5_k, expand_q6_k, expand_q2_k, expand_q3_k, expand_iq4_xs, expand_mxfp4};
  switch (dtype) {
    case DType::f32:
      if (values > 0) std::memcpy(out, source, static_cast<std::size_t>(values) * sizeof(float));
      return;
    case DType::f16:
      for (std::int64_t i = 0; i < values; ++i) out[i] = f16_at(source + 2 * i, 0);
      return;
    case DType::bf16:
      for (std::int64_t i = 0; i < values; ++i) out[i] = bf16_to_f32(half_at(source + 2 * i, 0));
      return;
    default:
      expand_blocks(info(dtype), kExpand[static_cast<std::size_t>(dtype)], source, out, values);
  }
}

int k_code_bits(DType dtype) {
  if (dtype == DType::q4_k) return 4;
  if (dtype == DType::q5_k) return 5;
  return dtype == DType::q6_k ? 6 : 0;
}

KBlock read_k_block(DType dtype, const std::byte* block) {
  if (dtype == DType::q4_k) return read_q4_k(block);
  return dtype == DType::q5_k ? read_q5_k(block) : read_q6_k(block);
}

}  // namespace cinnabar::kernels
