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

#include "base/line_index.h"

namespace cinnabar::lsp {

// The unit of Position::character. utf-16 is what holds when nothing was negotiated.
enum class PositionEncoding { utf8, utf16, utf32 };

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
