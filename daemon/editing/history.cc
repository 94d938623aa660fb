#include "daemon/editing/history.h"

#include <algorithm>
#include <utility>

namespace cinnabar::daemon {
namespace {

// Where the line of `at` ends, its line end not included.
std::size_t end_of_line(std::string_view text, std::size_t at) { return std::min(text.find('\n', at), text.size()); }

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  for (;;) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    if (end == text.size()) return lines;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

void EditHistory::add(std::string_view before, const ByteEdit& edit, std::string_view after) {
  std::size_t begin = edit.begin, end = edit.old_end;
  std::vector<PastEdit> kept, touched;
  for (PastEdit& past : edits_) {  // all of them in the coordinates of `before`
    const bool apart = end < line_begin(before, past.begin) || begin > end_of_line(before, past.end);
    if (!apart) begin = std::min(begin, past.begin), end = std::max(end, past.end);
    (apart ? kept : touched).push_back(std::move(past));
  }
  std::sort(touched.begin(), touched.end(), [](const auto& one, const auto& other) { return one.begin < other.begin; });
  PastEdit now{begin, end, {}};
  for (const PastEdit& past : touched) {
    now.old += before.substr(begin, past.begin - begin);
    now.old += past.old;
    begin = past.end;
  }
  now.old += before.substr(begin, end - begin);
  const std::ptrdiff_t grown = static_cast<std::ptrdiff_t>(edit.new_end) - static_cast<std::ptrdiff_t>(edit.old_end);
  const auto moved = [grown](std::size_t at) {
    return static_cast<std::size_t>(static_cast<std::ptrdiff_t>(at) + grown);
  };
  for (PastEdit& past : kept) {
    if (past.begin >= edit.old_end) past.begin = moved(past.begin), past.end = moved(past.end);
  }
  now.end = moved(now.end);
  const bool changes = after.substr(now.begin, now.end - now.begin) != now.old;
  if (changes && now.old.size() + now.end - now.begin <= kLargest) kept.push_back(std::move(now));
  if (kept.size() > kMost) kept.erase(kept.begin());
  edits_ = std::move(kept);
}

LineEdit whole_lines(std::string_view text, const PastEdit& edit) {
  const std::size_t begin = line_begin(text, edit.begin), end = end_of_line(text, edit.end);
  const std::string before = std::string(text.substr(begin, edit.begin - begin)) + edit.old +
                             std::string(text.substr(edit.end, end - edit.end));
  LineEdit lines{lines_of(before), lines_of(text.substr(begin, end - begin)), begin, end};
  while (!lines.before.empty() && !lines.after.empty() && lines.before.front() == lines.after.front()) {
    lines.begin += lines.after.front().size() + 1;
    lines.before.erase(lines.before.begin());
    lines.after.erase(lines.after.begin());
  }
  while (!lines.before.empty() && !lines.after.empty() && lines.before.back() == lines.after.back()) {
    lines.end -= std::min(lines.end, lines.after.back().size() + 1);
    lines.before.pop_back();
    lines.after.pop_back();
  }
  lines.begin = std::min(lines.begin, text.size());
  lines.end = std::max(lines.end, lines.begin);
  return lines;
}

std::string as_diff(const LineEdit& edit) {
  std::string diff;
  for (const auto& line : edit.before) diff += "-" + line + "\n";
  for (const auto& line : edit.after) diff += "+" + line + "\n";
  return diff;
}

}  // namespace cinnabar::daemon
