// Text as lines: blanks, indentation, what a file indents with, and what an edit replaced. Pure functions, no allocation
// except where a string is returned. Offsets and lengths are bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cinnabar {

inline bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n\f") == std::string_view::npos; }
std::string_view stripped(std::string_view text);        // of white space at both ends
std::string_view right_stripped(std::string_view text);  // at the end

// Whether a byte belongs to a name in most languages: a letter or digit of ASCII, or "_".
inline bool is_word_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}
std::string_view first_word(std::string_view line);  // letters, digits, "_" and "@"

inline std::size_t line_begin(std::string_view text, std::size_t at) {
  const std::size_t newline = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
  return newline == std::string_view::npos ? 0 : newline + 1;
}
// Before the newline, and before the carriage return in front of it.
std::size_t line_end(std::string_view text, std::size_t at);

std::string_view indentation_of(std::string_view line);  // its leading blanks and tabs
// Columns of leading white space, tabs to multiples of 8 (only ever compared with another width of the same file).
int indent_width(std::string_view line);

// Empties `text` and gives its memory back: an assignment of an empty string keeps it.
inline void release(std::string& text) { std::string().swap(text); }

// What one level of indentation is in `text`.
struct IndentStyle {
  bool tabs = false;
  int width = 4;  // of a level in blanks; of a tab as 8
  std::string unit() const { return tabs ? "\t" : std::string(static_cast<std::size_t>(width), ' '); }
};
// By the lines of `text`, or at most its first `most` bytes; four blanks where there is nothing to learn from.
IndentStyle indent_style_of(std::string_view text, std::size_t most = 64 * 1024);

// Bytes [begin, old_end) were replaced; the new ones are [begin, new_end) of the text after this edit. Several edits of
// one change each speak of the text that the one before left behind: what an incremental parser wants to be told.
struct ByteEdit {
  std::size_t begin = 0;
  std::size_t old_end = 0;
  std::size_t new_end = 0;
  friend bool operator==(const ByteEdit&, const ByteEdit&) = default;
};

// Bytes [begin, end) of a text are to become `text`. Several of one text are in order and apart.
struct TextChange {
  std::size_t begin = 0, end = 0;
  std::string text;
  friend bool operator==(const TextChange&, const TextChange&) = default;
};

}  // namespace cinnabar
