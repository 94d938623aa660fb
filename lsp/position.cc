#include "lsp/position.h"

#include <algorithm>
#include <limits>

namespace cinnabar::lsp {
namespace {

// One character of UTF-8 text: its bytes, and its length in the unit that was asked for.
struct Character {
  std::size_t bytes;
  std::size_t units;
};

std::size_t bytes_announced(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xF0 && first < 0xF8) return 4;
  if (first >= 0xE0) return first < 0xF0 ? 3 : 1;
  return first >= 0xC0 ? 2 : 1;
}

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

// The character at the begin of `text` (not empty).
Character first_character(std::string_view text, PositionEncoding encoding) {
  std::size_t bytes = bytes_announced(static_cast<unsigned char>(text[0]));
  for (std::size_t i = 1; i < bytes; ++i)
    if (i == text.size() || !is_continuation(text[i])) bytes = 1;  // stray byte: stands for itself
  if (encoding == PositionEncoding::utf8) return {bytes, bytes};
  if (encoding == PositionEncoding::utf32) return {bytes, 1};
  return {bytes, bytes == 4 ? std::size_t{2} : std::size_t{1}};
}

// Bytes of `line` that lie before `units`, rounded down to whole characters.
std::size_t bytes_for_units(std::string_view line, std::size_t units, PositionEncoding encoding) {
  std::size_t byte = 0;
  while (byte < line.size()) {
    const auto character = first_character(line.substr(byte), encoding);
    if (character.units > units) break;
    units -= character.units;
    byte += character.bytes;
  }
  return byte;
}

// Units of the whole characters of `line` that end at or before `bytes`.
std::size_t units_for_bytes(std::string_view line, std::size_t bytes, PositionEncoding encoding) {
  std::size_t units = 0;
  for (std::size_t byte = 0; byte < bytes;) {
    const auto character = first_character(line.substr(byte), encoding);
    byte += character.bytes;
    if (byte <= bytes) units += character.units;
  }
  return units;
}

std::uint32_t narrow(std::size_t value) {
  return static_cast<std::uint32_t>(std::min<std::size_t>(value, std::numeric_limits<std::uint32_t>::max()));
}

}  // namespace

std::string_view to_text(PositionEncoding encoding) {
  switch (encoding) {
    case PositionEncoding::utf8:
      return "utf-8";
    case PositionEncoding::utf32:
      return "utf-32";
    case PositionEncoding::utf16:
      break;
  }
  return "utf-16";
}

std::optional<PositionEncoding> position_encoding_from(std::string_view name) {
  for (const auto encoding : {PositionEncoding::utf8, PositionEncoding::utf16, PositionEncoding::utf32})
    if (name == to_text(encoding)) return encoding;
  return std::nullopt;
}

std::size_t to_byte_offset(std::string_view text, const LineIndex& lines, Position position,
                           PositionEncoding encoding) {
  if (position.line >= lines.line_count()) return text.size();
  const std::size_t begin = lines.line_begin(position.line);
  const auto line = text.substr(begin, lines.line_end(text, position.line) - begin);
  return begin + bytes_for_units(line, position.character, encoding);
}

Position to_position(std::string_view text, const LineIndex& lines, std::size_t byte_offset,
                     PositionEncoding encoding) {
  byte_offset = std::min(byte_offset, text.size());
  const std::size_t line = lines.line_of(byte_offset);
  const std::size_t begin = lines.line_begin(line);
  const std::size_t end = lines.line_end(text, line);
  const std::size_t units =
      units_for_bytes(text.substr(begin, end - begin), std::min(byte_offset, end) - begin, encoding);
  return {narrow(line), narrow(units)};
}

std::size_t count_units(std::string_view text, PositionEncoding encoding) {
  return units_for_bytes(text, text.size(), encoding);
}

}  // namespace cinnabar::lsp
