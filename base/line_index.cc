#include "base/line_index.h"

#include <algorithm>

namespace cinnabar {
namespace {

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

}  // namespace

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

}  // namespace cinnabar
