// Random weights in the formats that have codes of 4 bits, and in others, for the tests of int4.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "kernels/int4.h"
#include "tests/unit/kernels/kernel_fixture.h"

namespace cinnabar::kernels::testing {

struct RandomStored {
  std::vector<std::byte> bytes;
  StoredMatrix matrix;
};

// Codes are any; scales are of sizes that weights have, some of them zero or negative.
inline RandomStored random_stored(DType dtype, std::int64_t rows, std::int64_t cols, std::uint32_t seed) {
  RandomStored made;
  made.bytes.resize(static_cast<std::size_t>(rows * row_bytes(dtype, cols)));
  const auto halves = cpu::testing::random_values(std::ssize(made.bytes), seed, 0.02f);
  const auto any = cpu::testing::random_values(std::ssize(made.bytes), seed + 1, 128);
  for (std::size_t i = 0; i < made.bytes.size(); ++i) made.bytes[i] = static_cast<std::byte>(static_cast<int>(any[i]));
  if (dtype == DType::f32) std::memcpy(made.bytes.data(), halves.data(), made.bytes.size());
  if (dtype != DType::f32) {
    const auto block = static_cast<std::size_t>(info(dtype).block_bytes);
    const std::size_t count = dtype == DType::q4_1 || dtype == DType::q4_k ? 2 : 1;
    for (std::size_t at = 0; at < made.bytes.size(); at += block) {
      for (std::size_t i = 0; i < count; ++i) {
        const std::uint16_t half = at % (7 * block) == 6 * block ? 0 : f32_to_f16(halves[at + i]);
        const std::size_t place = dtype == DType::q6_k ? 208 : 2 * i;
        std::memcpy(made.bytes.data() + at + place, &half, sizeof half);
      }
    }
  }
  made.matrix = {dtype, made.bytes.data(), rows, cols};
  return made;
}

// What int4 makes of them: [rows, cols].
inline std::vector<float> values_of_int4(const StoredMatrix& matrix) {
  std::vector<float> values(static_cast<std::size_t>(matrix.rows * matrix.cols));
  for (std::int64_t row = 0; row < matrix.rows; ++row)
    expand_as_int4(matrix.dtype, matrix.data + row * row_bytes(matrix.dtype, matrix.cols),
                   values.data() + row * matrix.cols, matrix.cols);
  return values;
}

}  // namespace cinnabar::kernels::testing
