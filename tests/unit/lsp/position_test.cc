#include "lsp/position.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

namespace cinnabar::lsp {
namespace {

constexpr auto kEncodings = {PositionEncoding::utf8, PositionEncoding::utf16, PositionEncoding::utf32};

std::string begins_of(const LineIndex& lines) {
  std::string out;
  for (std::size_t i = 0; i < lines.line_count(); ++i) out += (i ? " " : "") + std::to_string(lines.line_begin(i));
  return out;
}

TEST_CASE("lines end with LF, CRLF or a lone CR") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "0"},
      {"a", "0"},
      {"\n", "0 1"},
      {"\r", "0 1"},
      {"\r\n", "0 2"},
      {"a\nb", "0 2"},
      {"a\r\nb\r\n", "0 3 6"},
      {"a\rb", "0 2"},
      {"\r\r\n", "0 1 3"},
      {"\n\r", "0 1 2"},
      {"\r\n\n\r", "0 2 3 4"},
      {"a\xE2\x80\xA8"
       "b",
       "0"},  // U+2028 ends no line
  };
  for (const auto& [text, expected] : cases) {
    INFO(text);
    CHECK(begins_of(LineIndex(text)) == expected);
  }
  const std::string text = "ab\r\ncd\re\n";
  const LineIndex lines(text);
  CHECK(lines.line_end(text, 0) == 2);
  CHECK(lines.line_end(text, 1) == 6);
  CHECK(lines.line_end(text, 2) == 8);
  CHECK(lines.line_end(text, 3) == text.size());
}

struct ToOffset {
  Position position;
  std::size_t utf8, utf16, utf32;
};

TEST_CASE("positions become byte offsets; those that do not exist move back to the nearest that does") {
  // Line 0: a é(2 bytes) 🌋(4 bytes, 2 utf-16 units) b, then CRLF. Line 1: €(3 bytes), then LF. Line 2: x.
  const std::string text =
      "a\xC3\xA9\xF0\x9F\x8C\x8B"
      "b\r\n\xE2\x82\xAC\nx";
  const LineIndex lines(text);
  const std::vector<ToOffset> cases = {
      {{0, 0}, 0, 0, 0},           {{0, 1}, 1, 1, 1},
      {{0, 2}, 1, 3, 3},  // utf-8: inside é
      {{0, 3}, 3, 3, 7},  // utf-16: inside the surrogate pair
      {{0, 4}, 3, 7, 8},           {{0, 5}, 3, 8, 8},
      {{0, 6}, 3, 8, 8},           {{0, 7}, 7, 8, 8},
      {{0, 8}, 8, 8, 8},           {{0, 9}, 8, 8, 8},  // beyond the line: before its CRLF
      {{0, 4294967295u}, 8, 8, 8}, {{1, 0}, 10, 10, 10},
      {{1, 1}, 10, 13, 13},        {{1, 2}, 10, 13, 13},
      {{1, 3}, 13, 13, 13},        {{2, 0}, 14, 14, 14},
      {{2, 1}, 15, 15, 15},        {{2, 9}, 15, 15, 15},
      {{3, 0}, 15, 15, 15},        {{4294967295u, 4294967295u}, 15, 15, 15},
  };
  for (const auto& c : cases) {
    INFO(c.position.line << ":" << c.position.character);
    CHECK(to_byte_offset(text, lines, c.position, PositionEncoding::utf8) == c.utf8);
    CHECK(to_byte_offset(text, lines, c.position, PositionEncoding::utf16) == c.utf16);
    CHECK(to_byte_offset(text, lines, c.position, PositionEncoding::utf32) == c.utf32);
  }
}

TEST_CASE("byte offsets become positions") {
  const std::string text =
      "a\xC3\xA9\xF0\x9F\x8C\x8B"
      "b\r\nx";
  const LineIndex lines(text);
  struct Case {
    std::size_t offset;
    Position utf8, utf16, utf32;
  };
  const std::vector<Case> cases = {
      {0, {0, 0}, {0, 0}, {0, 0}},  {2, {0, 1}, {0, 1}, {0, 1}},  // inside é: its begin
      {3, {0, 3}, {0, 2}, {0, 2}},  {5, {0, 3}, {0, 2}, {0, 2}},  // inside the volcano: its begin
      {7, {0, 7}, {0, 4}, {0, 3}},  {8, {0, 8}, {0, 5}, {0, 4}},
      {9, {0, 8}, {0, 5}, {0, 4}},  // between CR and LF: before the CR
      {10, {1, 0}, {1, 0}, {1, 0}}, {11, {1, 1}, {1, 1}, {1, 1}},
      {99, {1, 1}, {1, 1}, {1, 1}},
  };
  for (const auto& c : cases) {
    INFO(c.offset);
    CHECK(to_position(text, lines, c.offset, PositionEncoding::utf8) == c.utf8);
    CHECK(to_position(text, lines, c.offset, PositionEncoding::utf16) == c.utf16);
    CHECK(to_position(text, lines, c.offset, PositionEncoding::utf32) == c.utf32);
  }
}

TEST_CASE("stray bytes count as one character each") {
  const std::string text = "\xFF\xC3x\xF0\x9F";
  const LineIndex lines(text);
  for (const auto encoding : kEncodings) {
    CHECK(count_units(text, encoding) == 5);
    for (std::uint32_t i = 0; i <= 5; ++i) {
      CHECK(to_byte_offset(text, lines, {0, i}, encoding) == i);
      CHECK(to_position(text, lines, i, encoding) == Position{0, i});
    }
  }
}

TEST_CASE("units of a text") {
  const std::string text = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x8C\x8B";
  CHECK(count_units(text, PositionEncoding::utf8) == 10);
  CHECK(count_units(text, PositionEncoding::utf16) == 5);
  CHECK(count_units(text, PositionEncoding::utf32) == 4);
  CHECK(count_units("", PositionEncoding::utf16) == 0);
}

std::string random_text(std::mt19937& random, std::size_t pieces) {
  static const std::vector<std::string> alphabet = {"\n", "\r",       "\r\n",         "a",
                                                    "bc", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x8C\x8B"};
  std::string text;
  for (std::size_t i = 0; i < pieces; ++i) text += alphabet[random() % alphabet.size()];
  return text;
}

TEST_CASE("every character border survives the way there and back") {
  std::mt19937 random(11);
  for (int round = 0; round < 300; ++round) {
    const auto text = random_text(random, random() % 30);
    const LineIndex lines(text);
    for (const auto encoding : kEncodings) {
      for (std::size_t offset = 0; offset <= text.size(); ++offset) {
        const auto position = to_position(text, lines, offset, encoding);
        const auto back = to_byte_offset(text, lines, position, encoding);
        REQUIRE(back <= offset);
        const bool inside = offset < text.size() && ((text[offset] & 0xC0) == 0x80 ||
                                                     (text[offset] == '\n' && offset > 0 && text[offset - 1] == '\r'));
        if (!inside) REQUIRE(back == offset);
      }
    }
  }
}

TEST_CASE("a line index that follows edits equals one built anew") {
  std::mt19937 random(13);
  std::string text = random_text(random, 40);
  LineIndex lines(text);
  for (int round = 0; round < 20'000; ++round) {
    const std::size_t begin = random() % (text.size() + 1);
    const std::size_t old_end = begin + random() % std::min<std::size_t>(text.size() - begin + 1, 12);
    const auto inserted = random_text(random, text.size() > 120 ? 0 : random() % 8);
    text.replace(begin, old_end - begin, inserted);
    lines.update(text, begin, old_end, begin + inserted.size());
    REQUIRE(lines == LineIndex(text));
  }
}

TEST_CASE("encodings have the protocol's names") {
  for (const auto encoding : kEncodings) CHECK(position_encoding_from(to_text(encoding)) == encoding);
  CHECK_FALSE(position_encoding_from("UTF-8").has_value());
  CHECK_FALSE(position_encoding_from("").has_value());
}

}  // namespace
}  // namespace cinnabar::lsp
