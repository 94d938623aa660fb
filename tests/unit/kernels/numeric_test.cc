#include "kernels/numeric.h"

#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

namespace cinnabar::kernels {
namespace {

std::uint32_t read_u32(std::istream& in) {
  std::uint32_t value = 0;
  in.read(reinterpret_cast<char*>(&value), sizeof value);
  return value;
}

const DType* find_dtype(const std::string& name) {
  static std::vector<DType> all = [] {
    std::vector<DType> list;
    list.reserve(kDTypeCount);
    for (int i = 0; i < kDTypeCount; ++i) list.push_back(static_cast<DType>(i));
    return list;
  }();
  for (const DType& dtype : all) {
    if (info(dtype).name == name) return &dtype;
  }
  return nullptr;
}

TEST_CASE("every format expands to the reference's values") {
  std::ifstream in(std::string(CINNABAR_SOURCE_DIR) + "/tests/golden/kernels/numeric.bin", std::ios::binary);
  REQUIRE(in);
  int formats = 0;
  while (in.peek() != std::char_traits<char>::eof()) {
    std::string format(read_u32(in), ' ');
    in.read(format.data(), static_cast<std::streamsize>(format.size()));
    std::vector<std::byte> source(read_u32(in) + 1);
    std::vector<float> expected(read_u32(in));
    in.read(reinterpret_cast<char*>(source.data() + 1), static_cast<std::streamsize>(source.size() - 1));
    in.read(reinterpret_cast<char*>(expected.data()), static_cast<std::streamsize>(expected.size() * sizeof(float)));
    REQUIRE(in);
    const DType* dtype = find_dtype(format);
    INFO(format);
    REQUIRE(dtype != nullptr);
    const auto count = static_cast<std::int64_t>(expected.size());
    REQUIRE(row_bytes(*dtype, count) == static_cast<std::int64_t>(source.size() - 1));
    std::vector<float> out(expected.size());
    dequantize(*dtype, source.data() + 1, out.data(), count);  // an odd address: any alignment is allowed
    CHECK(std::memcmp(out.data(), expected.data(), out.size() * sizeof(float)) == 0);
    ++formats;
  }
  CHECK(formats == kDTypeCount - 1);  // f32 is a copy
}

TEST_CASE("every f16 survives the way to f32 and back") {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = f16_to_f32(half);
    if (std::isnan(value)) {
      CHECK(std::isnan(f16_to_f32(f32_to_f16(value))));
    } else if (f32_to_f16(value) != half) {
      FAIL("f16 " << bits << " came back as " << f32_to_f16(value));
    }
  }
}

TEST_CASE("rounding to 16 bits is to nearest, ties to even") {
  struct Row {
    float value;
    std::uint16_t f16, bf16;
  };
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<Row> rows = {
      {1.0f, 0x3c00, 0x3f80},       {-2.0f, 0xc000, 0xc000},      {65504.0f, 0x7bff, 0x4780},
      {65519.0f, 0x7bff, 0x4780},   {65520.0f, 0x7c00, 0x4780},   {inf, 0x7c00, 0x7f80},
      {-inf, 0xfc00, 0xff80},       {0x1p-24f, 0x0001, 0x3380},   {0x1p-25f, 0x0000, 0x3300},
      {0x1.8p-24f, 0x0002, 0x33c0}, {0x1.004p0f, 0x3c01, 0x3f80}, {0x1.002p0f, 0x3c00, 0x3f80},
      {0x1.006p0f, 0x3c02, 0x3f80}, {0x1.01p0f, 0x3c04, 0x3f80},  {0x1.03p0f, 0x3c0c, 0x3f82},
      {-0.0f, 0x8000, 0x8000},
  };
  for (const Row& row : rows) {
    INFO(row.value);
    CHECK(f32_to_f16(row.value) == row.f16);
    CHECK(f32_to_bf16(row.value) == row.bf16);
  }
  CHECK(std::isnan(bf16_to_f32(f32_to_bf16(std::bit_cast<float>(0x7f800001u)))));
}

}  // namespace
}  // namespace cinnabar::kernels
