// Positions as the protocol counts them <-> byte offsets into UTF-8 text. All such conversion in the program is here.
//
// LSP 3.18, sections "Text Documents" and "Position". Two coordinate systems, never mixed unnamed:
//   byte offset   0..text.size(), into the document's UTF-8 text
//   Position      line, and character within it counted in units of the negotiated position encoding
// Everything is total: no input is an error. Text that is not valid UTF-8 counts each stray byte as one character
// (documents come from JSON and are valid).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace cinnabar::lsp {

// The unit of Position::character. utf-16 is what holds when nothing was negotiated.
enum class PositionEncoding { kUtf8, kUtf16, kUtf32 };

// "utf-8", "utf-16" or "utf-32", the names of LSP's PositionEncodingKind.
std::string_view to_text(PositionEncoding encoding);
std::optional<PositionEncoding> position_encoding_from(std::string_view name);

// Both zero-based. A position stands between characters.
struct Position {
  std::uint32_t line = 0;
  std::uint32_t character = 0;
  friend bool operator==(const Position&, const Position&) = default;
  friend auto operator<=>(const Position&, const Position&) = default;
};

// Half open: `end` is not included.
struct Range {
  Position start;
  Position end;
  friend bool operator==(const Range&, const Range&) = default;
};

// Where the lines of one text begin. A line ends with "\n", "\r\n" or a lone "\r"; the text after the last line end is
// a line too, so there is always at least one. Value type; knows offsets only, so each question about characters also
// takes the text it was built from.
class LineIndex {
 public:
  LineIndex() : begins_{0} {}  // of the empty text
  // O(text).
  explicit LineIndex(std::string_view text);

  std::size_t line_count() const { return begins_.size(); }
  // Byte offset of the first byte of `line` (< line_count()).
  std::size_t line_begin(std::size_t line) const { return begins_[line]; }
  // Byte offset just behind the last character of `line`, before its line end.
  std::size_t line_end(std::string_view text, std::size_t line) const;
  // The line that holds `byte_offset`; the last line for any offset beyond. O(log lines).
  std::size_t line_of(std::size_t byte_offset) const;

  // Follows one edit: `text` is the text after bytes [begin, old_end) of the text before became [begin, new_end).
  // Equal to building anew; costs O(inserted bytes) plus moving the entries behind the edit.
  void update(std::string_view text, std::size_t begin, std::size_t old_end, std::size_t new_end);

  friend bool operator==(const LineIndex&, const LineIndex&) = default;

 private:
  std::vector<std::size_t> begins_;  // strictly increasing, begins_[0] == 0
};

// The byte offset of a position. Positions that do not exist are moved to the nearest one before them:
//   line beyond the last line              -> end of the text
//   character beyond the line's end        -> end of that line, before its line end (LSP's rule)
//   inside a surrogate pair (utf-16), or inside a multi-byte character (utf-8) -> begin of that character
// O(bytes before it in its line).
std::size_t to_byte_offset(std::string_view text, const LineIndex& lines, Position position, PositionEncoding encoding);

// The position of a byte offset. Offsets inside a character count as its begin, between "\r" and "\n" as before the
// "\r", beyond the text as its end. O(log lines + bytes before it in its line).
Position to_position(std::string_view text, const LineIndex& lines, std::size_t byte_offset, PositionEncoding encoding);

// Length of valid UTF-8 `text` in units of `encoding`.
std::size_t count_units(std::string_view text, PositionEncoding encoding);

}  // namespace cinnabar::lsp
