// Where the lines of a text begin, and how that follows an edit.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace cinnabar {

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

}  // namespace cinnabar
