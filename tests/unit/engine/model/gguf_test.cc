#include "engine/model/gguf.h"

#include <catch2/catch.hpp>
#include <functional>

#include "tests/support/model_files.h"

using namespace cinnabar::engine;
using namespace cinnabar::test;
using Catch::Contains;

namespace {

std::string raw(std::initializer_list<std::uint64_t> words) {
  std::string bytes;
  for (const auto word : words) bytes.append(reinterpret_cast<const char*>(&word), sizeof(word));
  return bytes;
}

std::string message_of(const std::function<void(GgufWriter&)>& change) {
  GgufWriter writer;
  writer.set("general.name", "tiny");
  change(writer);
  const auto bytes = writer.bytes();
  const auto parsed = parse_gguf(bytes);
  return parsed.ok() ? "no error" : parsed.message();
}

}  // namespace

TEST_CASE("metadata and tensors of a GGUF file") {
  for (const std::uint32_t version : {2u, 3u}) {
    GgufWriter writer;
    writer.version = version;
    writer.set("text", "value");
    writer.set("number", std::uint32_t{7});
    writer.set("real", 0.5f);
    writer.set("flag", true);
    writer.set("names", std::vector<std::string>{"a", "", "c"});
    writer.set("numbers", std::vector<std::int32_t>{-1, 2});
    writer.tensor("matrix", {2, 3}, {1, 2, 3, 4, 5, 6});
    writer.tensor("blocks", {2, 32}, GgufWriter::q8_0, std::vector<std::byte>(68));
    const auto bytes = writer.bytes();
    const auto parsed = parse_gguf(bytes);
    REQUIRE(parsed.ok());
    CHECK(std::get<std::string>(parsed->metadata.at("text")) == "value");
    CHECK(std::get<std::uint64_t>(parsed->metadata.at("number")) == 7);
    CHECK(std::get<double>(parsed->metadata.at("real")) == 0.5);
    CHECK(std::get<bool>(parsed->metadata.at("flag")));
    CHECK(std::get<std::vector<std::string>>(parsed->metadata.at("names")) == std::vector<std::string>{"a", "", "c"});
    CHECK(std::get<std::vector<std::int64_t>>(parsed->metadata.at("numbers")) == std::vector<std::int64_t>{-1, 2});
    const Tensor& matrix = parsed->tensors.at("matrix");
    CHECK(matrix.shape == std::vector<std::int64_t>{2, 3});
    CHECK(matrix.bytes == 24);
    float last = 0;
    std::memcpy(&last, matrix.data + 20, sizeof(last));
    CHECK(last == 6);
    CHECK(parsed->tensors.at("blocks").dtype == cinnabar::kernels::DType::q8_0);
    CHECK(parsed->tensors.at("blocks").bytes == 68);
  }
}

TEST_CASE("a GGUF file cut off at any byte is an error, never a crash") {
  GgufWriter writer;
  writer.set("general.name", "tiny");
  writer.set("list", std::vector<std::string>{"a", "b"});
  writer.tensor("first", {2, 3}, {1, 2, 3, 4, 5, 6});
  writer.tensor("second", {8}, {1, 2, 3, 4, 5, 6, 7, 8});
  const auto bytes = writer.bytes();
  REQUIRE(parse_gguf(bytes).ok());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    // A copy of its own, so that the address sanitizer sees a read behind its end.
    const std::vector<std::byte> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    const auto parsed = parse_gguf(cut);
    REQUIRE(!parsed.ok());
    if (size >= 24) REQUIRE_THAT(parsed.message(), Contains("key ") || Contains("tensor "));
  }
}

TEST_CASE("any single byte changed is read or refused, never a crash") {
  GgufWriter writer;
  writer.set("general.alignment", std::uint32_t{32});
  writer.set("list", std::vector<std::int32_t>{1, 2, 3});
  writer.tensor("first", {2, 3}, {1, 2, 3, 4, 5, 6});
  const auto good = writer.bytes();
  for (std::size_t at = 0; at < good.size(); ++at)
    for (const int flip : {0x01, 0x80, 0xff}) {
      auto bytes = good;
      bytes[at] ^= static_cast<std::byte>(flip);
      const auto parsed = parse_gguf(bytes);
      if (!parsed.ok()) continue;
      for (const auto& [name, tensor] : parsed->tensors) {
        REQUIRE(tensor.data >= bytes.data());
        REQUIRE(tensor.data + tensor.bytes <= bytes.data() + bytes.size());
      }
    }
}

TEST_CASE("a lie in the header is refused and named") {
  constexpr std::uint64_t kHuge = std::uint64_t{1} << 62;
  const std::vector<float> six = {1, 2, 3, 4, 5, 6};
  struct Case {
    std::function<void(GgufWriter&)> change;
    std::vector<std::string> expected;
  };
  const std::vector<Case> cases = {
      {[](auto& w) { w.version = 1; }, {"version", "expected 2 or 3", "found 1"}},
      {[](auto& w) { w.version = 0x03000000; }, {"big-endian"}},
      {[](auto& w) { w.extra_tensors = kHuge; }, {"tensor count", "at most 65536"}},
      {[](auto& w) { w.extra_keys = kHuge; }, {"key count", "at most 65536"}},
      {[](auto& w) { w.extra_keys = 1; }, {"key 2 of 2"}},
      {[](auto& w) { w.extra_tensors = 1; }, {"tensor 1 of 1"}},
      {[](auto& w) { w.set("general.name", "again"); }, {"'general.name'", "twice"}},
      {[](auto& w) { w.set_raw("k", GgufWriter::string, raw({kHuge})); }, {"'k'", "at most"}},
      {[](auto& w) { w.set_raw("k", GgufWriter::string, raw({1000})); }, {"'k'", "end of the file"}},
      {[](auto& w) { w.set_raw("k", 13, ""); }, {"'k'", "kind", "found 13"}},
      {[](auto& w) {
         w.set_raw("k", GgufWriter::array, raw({4 | kHuge << 32, kHuge >> 32}));
       },
       {"'k'", "items"}},
      {[](auto& w) {
         w.set_raw("k", GgufWriter::array, raw({9, 0}));
       },
       {"'k'", "arrays of kind 9"}},
      {[](auto& w) { w.set("general.alignment", std::uint32_t{0}); }, {"general.alignment", "found 0"}},
      {[](auto& w) { w.set("general.alignment", std::uint32_t{48}); }, {"general.alignment", "found 48"}},
      {[](auto& w) { w.set("general.alignment", "32"); }, {"general.alignment"}},
      {[](auto& w) { w.tensor_at("t", {}, 0, 0); }, {"'t'", "dimensions, found 0"}},
      {[](auto& w) {
         w.tensor_at("t", {1, 1, 1, 1, 1}, 0, 0);
       },
       {"'t'", "dimensions, found 5"}},
      {[](auto& w) {
         w.tensor_at("t", {2, 0}, 0, 0);
       },
       {"'t'", "dimension 0"}},
      {[](auto& w) {
         w.tensor_at("t", {kHuge, kHuge}, 0, 0);
       },
       {"'t'", "dimension"}},
      {[](auto& w) {
         w.tensor_at("t", {1ull << 40, 1ull << 40}, 0, 0);
       },
       {"'t'", "not possible"}},
      {[](auto& w) { w.tensor_at("t", {4}, 19, 0); }, {"'t'", "IQ1_S", "Q4_K"}},
      {[](auto& w) { w.tensor_at("t", {4}, 999, 0); }, {"'t'", "number 999"}},
      {[](auto& w) {
         w.tensor_at("t", {2, 33}, GgufWriter::q8_0, 0);
       },
       {"'t'", "multiple of 32", "[2, 33]"}},
      {[](auto& w) { w.tensor_at("t", {4}, 0, 0); }, {"'t'", "expected 16 bytes", "found 0"}},
      {[](auto& w) { w.tensor_at("t", {4}, 0, ~std::uint64_t{31}); }, {"'t'", "expected 16 bytes"}},
      {[&](auto& w) { w.tensor("t", {6}, six), w.tensor_at("u", {1}, 0, 1); }, {"'u'", "multiple of 32"}},
      {[&](auto& w) { w.tensor("t", {6}, six), w.tensor_at("u", {6}, 0, 0); }, {"overlaps"}},
      {[&](auto& w) { w.tensor("t", {6}, six), w.tensor("t", {6}, six); }, {"'t'", "twice"}},
  };
  for (const auto& test : cases) {
    const std::string message = message_of(test.change);
    CAPTURE(message);
    for (const auto& part : test.expected) CHECK_THAT(message, Contains(part));
  }
}

TEST_CASE("other files are not GGUF") {
  const std::string text = "# a text file, long enough for a header";
  CHECK_THAT(parse_gguf(std::as_bytes(std::span(text))).message(), Contains("not a GGUF file"));
}

TEST_CASE("hostile names are shown harmlessly") {
  CHECK(shown_name("a\x1b[31m'\n") == "'a\\x1b[31m'\\x0a'");
  CHECK(shown_name(std::string(200, 'x')).size() < 100);
}
