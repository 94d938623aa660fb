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
  if (encoding == PositionEncoding::kUtf8) return {bytes, bytes};
  if (encoding == PositionEncoding::kUtf32) return {bytes, 1};
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

// Whether a line begins at `offset` (> 0): decided by the bytes on both sides of it alone, which is what makes
// following an edit cheap.
bool begins_line(std::string_view text, std::size_t offset) {
  const char before = text[offset - 1];
  if (before == '\n') return true;
  return before == '\r' && (offset == text.size() || text[offset] != '\n');
}

void append_line_begins(std::string_view text, std::size_t from, std::size_t to, std::vector<std::size_t>& out) {
  for (std::size_t offset = std::max<std::size_t>(from, 1); offset <= to; ++offset)
    if (begins_line(text, offset)) out.push_back(offset);
}

std::uint32_t narrow(std::size_t value) {
  return static_cast<std::uint32_t>(std::min<std::size_t>(value, std::numeric_limits<std::uint32_t>::max()));
}

}  // namespace

std::string_view to_text(PositionEncoding encoding) {
  switch (encoding) {
    case PositionEncoding::kUtf8:
      return "utf-8";
    case PositionEncoding::kUtf32:
      return "utf-32";
    case PositionEncoding::kUtf16:
      break;
  }
  return "utf-16";
}

std::optional<PositionEncoding> position_encoding_from(std::string_view name) {
  for (const auto encoding : {PositionEncoding::kUtf8, PositionEncoding::kUtf16, PositionEncoding::kUtf32})
    if (name == to_text(encoding)) return encoding;
  return std::nullopt;
}

LineIndex::LineIndex(std::string_view text) : begins_{0} { append_line_begins(text, 1, text.size(), begins_); }

std::size_t LineIndex::line_end(std::string_view text, std::size_t line) const {
  if (line + 1 == begins_.size()) return text.size();
  std::size_t end = begins_[line + 1] - 1;
  if (end > begins_[line] && text[end] == '\n' && text[end - 1] == '\r') --end;
  return end;
}

std::size_t LineIndex::line_of(std::size_t byte_offset) const {
  return static_cast<std::size_t>(std::upper_bound(begins_.begin(), begins_.end(), byte_offset) - begins_.begin()) - 1;
}

void LineIndex::update(std::string_view text, std::size_t begin, std::size_t old_end, std::size_t new_end) {
  // A begin at offset p depends on bytes p-1 and p: those before the edit stay, those behind it move, and the ones from
  // `begin` to the edit's end, both included, are found anew.
  const auto first = std::lower_bound(begins_.begin() + 1, begins_.end(), begin);
  const auto last = std::upper_bound(first, begins_.end(), old_end);
  std::vector<std::size_t> found;
  append_line_begins(text, begin, new_end, found);

  for (auto moved = last; moved != begins_.end(); ++moved) *moved = *moved - old_end + new_end;
  const auto common = std::min(found.size(), static_cast<std::size_t>(last - first));
  const auto rest = std::copy_n(found.begin(), common, first);
  if (common < found.size())
    begins_.insert(rest, found.begin() + static_cast<std::ptrdiff_t>(common), found.end());
  else
    begins_.erase(rest, last);
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
