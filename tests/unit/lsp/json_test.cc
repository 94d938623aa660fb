#include "lsp/json.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace cinnabar::lsp {
namespace {

std::string nested(std::size_t depth, char open, char close) {
  return std::string(depth, open) + std::string(depth, close);
}

// The value written again, or "error: ..." (every error must be a ParseError).
std::string round_trip(std::string_view text) {
  const auto value = parse_json(text);
  if (value.ok()) return write_json(*value);
  CHECK(value.error().code == ErrorCode::parse_error);
  return "error: " + value.error().message;
}

TEST_CASE("JSON that is accepted") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"null", "null"},
      {" \r\n\t{ \"a\" : [ 1 , -2 , 2.5 , true , false , null ] } ", R"({"a":[1,-2,2.5,true,false,null]})"},
      {R"({"a":{"b":{"c":[[],{}]}},"d":1})", R"({"a":{"b":{"c":[[],{}]}},"d":1})"},
      {R"([[1],[2,[3]],4])", R"([[1],[2,[3]],4])"},
      {R"({"":1})", R"({"":1})"},
      {"18446744073709551615", "18446744073709551615"},
      {"-9223372036854775808", "-9223372036854775808"},
      {R"("a\u0000b")", R"("a\u0000b")"},
      {"\"\xF0\x9F\x8C\x8B\"", "\"\xF0\x9F\x8C\x8B\""},
      {R"("\ud83c\udf0b")", "\"\xF0\x9F\x8C\x8B\""},
      {R"("\\ud83c")", R"("\\ud83c")"},  // an escaped backslash, not an escaped unit
      {R"("\ud83c")", "\"\xEF\xBF\xBD\""},
      {R"("a\udf0bb")",
       "\"a\xEF\xBF\xBD"
       "b\""},
      {R"("\ud83c\ud83c\udf0b")", "\"\xEF\xBF\xBD\xF0\x9F\x8C\x8B\""},
      {R"("\uD83C\n")", "\"\xEF\xBF\xBD\\n\""},
  };
  for (const auto& [text, expected] : cases) {
    INFO(text);
    CHECK(round_trip(text) == expected);
  }
}

TEST_CASE("JSON that is refused, and why") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "error: byte 1: syntax error while parsing value - unexpected end of input"},
      {"{} {}", "error: byte 4: syntax error while parsing value - unexpected '{'"},
      {"{\"a\":1,}", "error: byte 8: syntax error while parsing object key - unexpected '}'"},
      {"[1,]", "error: byte 4: syntax error while parsing value - unexpected ']'"},
      {"{\"a\":1,\"b\":2,\"a\":3}", "error: member \"a\" appears twice in one object"},
      {"{\"x\":[{\"a\":1},{\"a\":1,\"a\":1}]}", "error: member \"a\" appears twice in one object"},
      {"1e999", "error: byte 5: number overflow parsing '1e999'"},
  };
  for (const auto& [text, expected] : cases) {
    INFO(text);
    CHECK(round_trip(text).substr(0, expected.size()) == expected);
  }
  for (const std::string text :
       {"NaN", "'a'", "01", "+1", "\"\x01\"", "\"\xFF\"", "\"\xC3\"", "\"\xED\xA0\xBC\"", "\"\\x41\"", "\"\\ud83",
        "\"\\ud83c\\", "\"", "{\"a\"", "[", "nul", "// c\n1", "\\ud83c"}) {
    INFO(text);
    CHECK(round_trip(text).substr(0, 7) == "error: ");
  }
}

TEST_CASE("an error text does not quote the document") {
  const auto value = parse_json(R"({"text":"secret value)");
  REQUIRE_FALSE(value.ok());
  CHECK(value.error().message.find("secret") == std::string::npos);
}

TEST_CASE("depth is limited, however long the text is") {
  CHECK(parse_json(nested(128, '[', ']')).ok());
  CHECK(round_trip(nested(129, '[', ']')) == "error: nested deeper than 128 levels");
  CHECK(round_trip(std::string(1'000'000, '[')) == "error: nested deeper than 128 levels");
  std::string objects;
  for (int i = 0; i < 200'000; ++i) objects += "{\"a\":";
  CHECK(round_trip(objects) == "error: nested deeper than 128 levels");
  CHECK_FALSE(parse_json("[[1]]", JsonLimits{.depth = 1}).ok());
  CHECK(parse_json("[1]", JsonLimits{.depth = 1}).ok());
}

TEST_CASE("writing never fails") {
  CHECK(write_json(Json("a\xFF"
                        "b")) ==
        "\"a\xEF\xBF\xBD"
        "b\"");
  CHECK(write_json(Json::object()) == "{}");
}

TEST_CASE("kinds have JSON's names") {
  CHECK(kind_of(Json(1)) == "number");
  CHECK(kind_of(Json(1.5)) == "number");
  CHECK(kind_of(Json("a")) == "string");
  CHECK(kind_of(Json()) == "null");
  CHECK(kind_of(Json::array()) == "array");
  CHECK(kind_of(Json::object()) == "object");
  CHECK(kind_of(Json(true)) == "boolean");
}

}  // namespace
}  // namespace cinnabar::lsp
