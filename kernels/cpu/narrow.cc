#include "kernels/cpu/narrow.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>

#include "kernels/cpu/packing.h"

namespace cinnabar::kernels::cpu {
namespace {

static_assert(kNarrowInputs == kKBlockValues);

std::int64_t total_rows(std::span<const StoredMatrix> parts) {
  std::int64_t rows = 0;
  for (const StoredMatrix& part : parts) rows += part.rows;
  return rows;
}

template <typename T>
void set(std::byte* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

// The largest magnitude, by the bits: floats without their sign are in the order of their bits.
float largest_of(const float* values, int count) {
  std::uint32_t largest = 0;
  for (int i = 0; i < count; ++i) largest = std::max(largest, std::bit_cast<std::uint32_t>(values[i]) & 0x7fffffffu);
  return std::bit_cast<float>(largest);
}

// Of each code the bits from `shift` on, kBits of them, in words 64 bytes apart, the first code lowest.
template <int kBits>
void put_codes(const std::uint8_t* codes, int shift, std::byte* words) {
  constexpr int kInWord = 32 / kBits;
  for (int first = 0; first < kKBlockValues; first += kInWord, words += 64) {
    std::uint32_t word = 0;
    for (int i = 0; i < kInWord; ++i) {
      const std::uint32_t code = codes[first + i];
      word |= ((code >> shift) & ((1u << kBits) - 1)) << (kBits * i);
    }
    set(words, word);
  }
}

void put_scales(const KBlock& from, int bits, int column, std::byte* scales) {
  std::uint32_t scale_tops = 0, min_tops = 0;
  for (int run = 0; run < from.runs; ++run) {
    const auto scale = static_cast<std::uint8_t>(from.scales[run]);
    const std::uint8_t min = from.mins[run];
    const int low = bits == 6 ? scale : (scale & 15) | (min & 15) << 4;
    set(scales + 16 * run + column, static_cast<std::uint8_t>(low));
    scale_tops |= static_cast<std::uint32_t>(scale >> 4) << (2 * run);
    min_tops |= static_cast<std::uint32_t>(min >> 4) << (2 * run);
  }
  if (bits == 6) return;
  set(scales + 128 + 2 * column, static_cast<std::uint16_t>(scale_tops));
  set(scales + 160 + 2 * column, static_cast<std::uint16_t>(min_tops));
}

// The column's share of a block.
void put_column(const KBlock& from, int bits, const float* values, int column, std::byte* block) {
  for (int group = 0; group < 2; ++group)
    set(block + 64 * group + 4 * column, largest_of(values + kGroupValues * group, kGroupValues));
  set(block + 128 + 2 * column, from.d);
  set(block + 160 + 2 * column, from.dmin);
  put_scales(from, bits, column, block + 192);
  std::byte* low = block + narrow_head_bytes(bits) + 4 * column;
  put_codes<4>(from.codes, 0, low);
  if (bits == 5) put_codes<1>(from.codes, 4, low + kNarrowLowBytes);
  if (bits == 6) put_codes<2>(from.codes, 4, low + kNarrowLowBytes);
}

}  // namespace

StoredRow stored_row(std::span<const StoredMatrix> parts, std::int64_t row) {
  for (const StoredMatrix& part : parts) {
    if (row < part.rows) return {part.dtype, part.data + row * row_bytes(part.dtype, part.cols)};
    row -= part.rows;
  }
  assert(false);
  return {};
}

int narrow_bits(std::span<const StoredMatrix> parts, std::int64_t first) {
  const std::int64_t end = std::min(first + 32, total_rows(parts));
  const int bits = k_code_bits(stored_row(parts, first).dtype);
  for (std::int64_t row = first; row < end; ++row) {
    if (k_code_bits(stored_row(parts, row).dtype) != bits) return 8;
  }
  return bits == 0 ? 8 : bits;
}

void pack_narrow(std::span<const StoredMatrix> parts, std::int64_t first, const float* expanded, std::byte* strip,
                 std::int64_t stride) {
  const std::int64_t cols = parts[0].cols, end = std::min(first + 16, total_rows(parts));
  for (std::int64_t row = first; row < end; ++row) {
    const StoredRow from = stored_row(parts, row);
    const int bits = k_code_bits(from.dtype), bytes = info(from.dtype).block_bytes;
    for (std::int64_t b = 0; b < cols / kNarrowInputs; ++b) {
      const float* values = expanded + (row - first) * cols + b * kNarrowInputs;
      put_column(read_k_block(from.dtype, from.data + b * bytes), bits, values, static_cast<int>(row - first),
                 strip + b * stride);
    }
  }
}

}  // namespace cinnabar::kernels::cpu
