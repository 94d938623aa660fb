#include "engine/model/safetensors.h"

#include <catch2/catch.hpp>

#include "tests/support/model_files.h"

using namespace cinnabar::engine;
using namespace cinnabar::test;
using Catch::Contains;

TEST_CASE("tensors of a safetensors file") {
  SafetensorsWriter writer;
  writer.tensor("a", {2, 2}, {1, 2, 3, 4});
  writer.tensor("b", {3}, {5, 6, 7});
  writer.tensor("scalar", {}, {8});
  const auto bytes = writer.bytes();
  const auto tensors = parse_safetensors(bytes);
  REQUIRE(tensors.ok());
  CHECK(tensors->size() == 3);
  CHECK(tensors->at("a").shape == std::vector<std::int64_t>{2, 2});
  float value = 0;
  std::memcpy(&value, tensors->at("b").data + 8, sizeof(value));
  CHECK(value == 7);
  CHECK(tensors->at("scalar").bytes == 4);
}

TEST_CASE("half precision formats and metadata") {
  const auto bytes = SafetensorsWriter::with_header(
      R"({"__metadata__":{"format":"pt"},"h":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},)"
      R"("b":{"dtype":"BF16","shape":[1],"data_offsets":[4,6]}})",
      std::vector<std::byte>(6));
  const auto tensors = parse_safetensors(bytes);
  REQUIRE(tensors.ok());
  CHECK(tensors->at("h").dtype == cinnabar::kernels::DType::f16);
  CHECK(tensors->at("b").dtype == cinnabar::kernels::DType::bf16);
}

TEST_CASE("a safetensors file cut off at any byte is an error, never a crash") {
  SafetensorsWriter writer;
  writer.tensor("a", {2, 2}, {1, 2, 3, 4});
  const auto bytes = writer.bytes();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::vector<std::byte> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    REQUIRE(!parse_safetensors(cut).ok());
  }
}

TEST_CASE("a lie in the safetensors header is refused and named") {
  struct Case {
    std::string header;
    std::vector<std::string> expected;
  };
  const std::vector<Case> cases = {
      {R"({"t":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}})", {"'t'", "'I64'", "BF16"}},
      {R"({"t":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", {"'t'", "[3]", "12 bytes", "give 8"}},
      {R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[4,0]}})", {"'t'", "[4, 0]"}},
      {R"({"t":{"dtype":"F32","shape":[8],"data_offsets":[0,32]}})", {"'t'", "outside", "16 bytes"}},
      {R"({"t":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", {"'t'", "'shape'"}},
      {R"({"t":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}})", {"'t'", "'shape'"}},
      {R"({"t":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}})", {"'t'", "[0]"}},
      {R"({"t":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}})", {"'t'", "not possible"}},
      {R"({"t":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,8]}})", {"'t'", "'shape'"}},
      {R"({"t":{"dtype":"F32","shape":[1,1,1,1,1],"data_offsets":[0,4]}})", {"'t'", "dimensions"}},
      {R"({"t":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", {"'t'", "data_offsets"}},
      {R"({"t":{"dtype":"F32","data_offsets":[0,4]}})", {"'t'", "'shape' is missing"}},
      {R"({"t":{"shape":[1],"data_offsets":[0,4]}})", {"'t'", "'dtype' is missing"}},
      {R"({"t":7})", {"'t'", "object"}},
      {R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"u":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
       {"'u'", "overlaps", "'t'"}},
      {R"({"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"t":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
       {"'t'", "twice"}},
      {R"([1])", {"header", "object"}},
      {R"({"t":)", {"header", "JSON"}},
      {R"({"t":{"shape":[[[[[[1]]]]]]}})", {"header", "levels"}},
  };
  for (const auto& test : cases) {
    const auto bytes = SafetensorsWriter::with_header(test.header, std::vector<std::byte>(16));
    const auto parsed = parse_safetensors(bytes);
    const std::string message = parsed.ok() ? "no error" : parsed.message();
    CAPTURE(message);
    for (const auto& part : test.expected) CHECK_THAT(message, Contains(part));
  }
}

TEST_CASE("a header length beyond the file is refused") {
  auto bytes = SafetensorsWriter::with_header("{}");
  bytes[7] = std::byte{0x7f};
  CHECK_THAT(parse_safetensors(bytes).message(), Contains("header length"));
}

TEST_CASE("deep nesting neither recurses nor is kept") {
  const auto bytes = SafetensorsWriter::with_header(std::string(1 << 20, '['));
  CHECK(!parse_safetensors(bytes).ok());
}

TEST_CASE("an index may only name files of its own folder") {
  const auto index = parse_safetensors_index(R"({"weight_map": {"a": "model-00001-of-00002.safetensors"}})");
  REQUIRE(index.ok());
  CHECK(index->at("a") == "model-00001-of-00002.safetensors");
  for (const char* name : {"../x.safetensors", "/etc/passwd", "a/b", "..", ".", "", "a\\\\b", "a\\u0000b"}) {
    const auto refused = parse_safetensors_index(R"({"weight_map": {"tensor": ")" + std::string(name) + R"("}})");
    REQUIRE(!refused.ok());
    CHECK_THAT(refused.message(), Contains("'tensor'") && Contains("same folder"));
  }
  CHECK(!parse_safetensors_index(R"({"weight_map": {"a": 7}})").ok());
  CHECK(!parse_safetensors_index("{}").ok());
  CHECK(!parse_safetensors_index("[]").ok());
}
