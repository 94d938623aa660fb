#include "kernels/int4.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>

#include "tests/unit/kernels/int4_fixture.h"

namespace cinnabar::kernels {
namespace {

using namespace testing;

std::vector<float> dequantized(const StoredMatrix& matrix) {
  std::vector<float> values(static_cast<std::size_t>(matrix.rows * matrix.cols));
  dequantize(matrix.dtype, matrix.data, values.data(), std::ssize(values));
  return values;
}

TEST_CASE("int4 keeps the codes of formats that have some") {
  struct Row {
    DType dtype;
    double
        tolerance;  // of a weight, where scales are up to 0.02; Q4_K's are products of up to 63 that are rounded to f16
  };
  for (const Row& row : {Row{DType::q4_0, 0}, {DType::q4_1, 1e-4}, {DType::q4_k, 8e-3}}) {
    INFO(info(row.dtype).name);
    CHECK(has_int4_codes(row.dtype));
    const RandomStored stored = random_stored(row.dtype, 3, 512, 5);
    const std::vector<float> got = values_of_int4(stored.matrix), expected = dequantized(stored.matrix);
    double worst = 0;
    for (std::size_t i = 0; i < got.size(); ++i) worst = std::max(worst, std::abs(double{got[i]} - expected[i]));
    CHECK(worst <= row.tolerance);
  }
}

TEST_CASE("int4 rounds other formats to a sixteenth of what a group spans, whatever its length") {
  for (const std::int64_t cols : {1, 31, 32, 33, 100}) {
    INFO(cols << " columns");
    const RandomStored stored = random_stored(DType::f32, 1, cols, static_cast<std::uint32_t>(cols));
    const std::vector<float> got = values_of_int4(stored.matrix), expected = dequantized(stored.matrix);
    for (std::int64_t first = 0; first < cols; first += kInt4Group) {
      float farthest = 0;
      const auto end = static_cast<std::size_t>(std::min(cols, first + kInt4Group));
      for (auto i = static_cast<std::size_t>(first); i < end; ++i) farthest = farther(farthest, expected[i]);
      // Half a step; a whole one at the end that has no code.
      for (auto i = static_cast<std::size_t>(first); i < end; ++i)
        CHECK(std::abs(got[i] - expected[i]) <= std::abs(farthest) * (expected[i] * farthest > 0 ? 0.063f : 0.126f));
    }
  }
}

TEST_CASE("int4 of what is no weight") {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  for (const float value : {0.0f, -0.0f, 1e-9f, 1e-40f}) CHECK(rounded_int4_code(value, 0) == 8);
  for (const float value : {inf, -inf, nan, 1e30f, -1e30f}) {
    for (const float scale : {0.1f, -0.1f, inf, nan}) {
      const int code = rounded_int4_code(value, scale);
      CHECK(0 <= code);
      CHECK(code <= 15);
    }
  }
  CHECK(farther(-2, 2) == 2);  // whichever comes first
  CHECK(farther(2, -2) == 2);
  CHECK(farther(-3, 2) == -3);
}

}  // namespace
}  // namespace cinnabar::kernels
