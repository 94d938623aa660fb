// The last edits of one document, oldest first: what the user has been doing. Keystrokes of one region are one edit.
//
// Value type; the owner's thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace cinnabar::daemon {

// What was `old` stands at [begin, end) of the present text.
struct PastEdit {
  std::size_t begin = 0, end = 0;
  std::string old;
};

class EditHistory {
 public:
  // `before` is the text that `edit` changed. Edits that touch one another's lines become one; one that is undone is
  // forgotten, and so is a whole-file change (more than kLargest bytes replaced).
  void add(std::string_view before, const ByteEdit& edit, std::string_view after);
  const std::vector<PastEdit>& edits() const { return edits_; }
  void clear() { edits_.clear(); }

  static constexpr std::size_t kMost = 12;        // edits kept
  static constexpr std::size_t kLargest = 8'192;  // bytes of an edit, old and new together

 private:
  std::vector<PastEdit> edits_;
};

// A past edit as whole lines, without those that both texts begin and end with. No line holds its line end.
struct LineEdit {
  std::vector<std::string> before, after;
  std::size_t begin = 0;  // byte of the present text where `after` begins, or where `before` has been taken away
  std::size_t end = 0;    // where the last line of `after` ends, its line end not included
};
LineEdit whole_lines(std::string_view text, const PastEdit& edit);

// The same as the lines of a unified diff: "-old\n+new\n".
std::string as_diff(const LineEdit& edit);

}  // namespace cinnabar::daemon
