// A text editor as simple as can be: the oracle for incremental changes. Shares no code with the program.
#pragma once

#include <cstdint>
#include <string>

namespace cinnabar::daemon {

// Holds characters, not bytes; every question walks the text from its begin.
class NaiveEditor {
 public:
  // Bytes of a character in UTF-8, its units in UTF-16, or 1.
  enum class Unit { utf8, utf16, utf32 };

  std::u32string text;

  // Index of the character at (line, column in units), by the rules of LSP 3.18 and rounding down inside a character.
  std::size_t index(std::uint32_t line, std::uint32_t column, Unit unit) const {
    std::size_t at = 0;
    for (; line > 0; --line) {
      while (at < text.size() && text[at] != U'\n' && text[at] != U'\r') ++at;
      if (at == text.size()) return at;
      at += text[at] == U'\r' && at + 1 < text.size() && text[at + 1] == U'\n' ? 2 : 1;
    }
    for (std::uint32_t left = column; at < text.size() && text[at] != U'\n' && text[at] != U'\r'; ++at) {
      if (units(text[at], unit) > left) break;
      left -= units(text[at], unit);
    }
    return at;
  }

  std::string utf8() const {
    std::string out;
    for (const char32_t c : text) append(c, out);
    return out;
  }

 private:
  static std::uint32_t units(char32_t c, Unit unit) {
    if (unit == Unit::utf32) return 1;
    if (unit == Unit::utf16) return c > 0xFFFF ? 2 : 1;
    return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  }
  static void append(char32_t c, std::string& out) {
    const auto put = [&out](char32_t byte) { out += static_cast<char>(byte); };
    if (c < 0x80) return put(c);
    if (c < 0x800) {
      put(0xC0 | c >> 6);
    } else {
      if (c < 0x10000) {
        put(0xE0 | c >> 12);
      } else {
        put(0xF0 | c >> 18);
        put(0x80 | (c >> 12 & 0x3F));
      }
      put(0x80 | (c >> 6 & 0x3F));
    }
    put(0x80 | (c & 0x3F));
  }
};

}  // namespace cinnabar::daemon
