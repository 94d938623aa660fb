#include "daemon/server/target.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace cinnabar::daemon {
namespace {

// The line end and the indentation that most editors put in when the user goes on with the next line.
std::string next_line_start(const DocumentSnapshot& document, std::size_t offset) {
  const std::string_view text = document.text();
  const std::size_t line = document.lines().line_of(offset), begin = document.lines().line_begin(line);
  if (document.lines().line_end(text, line) != offset) return {};
  const std::size_t indent = std::min(text.find_first_not_of(" \t", begin), offset) - begin;
  const bool carriage_returns = line > 0 && begin >= 2 && text[begin - 2] == '\r';
  return (carriage_returns ? "\r\n" : "\n") + std::string(text.substr(begin, indent));
}

}  // namespace

SnapshotPtr with_replaced(const DocumentSnapshot& document, std::size_t begin, std::size_t end,
                          std::string_view inserted) {
  std::string text = document.text();
  text.replace(begin, end - begin, inserted);
  LineIndex lines = document.lines();
  lines.update(text, begin, end, begin + inserted.size());
  return std::make_shared<const DocumentSnapshot>(
      DocumentSnapshot::Identity{document.uri(), document.language_id(), document.version(), document.revision()},
      std::move(text), std::move(lines));
}

Target after_accepting(const Target& target, const std::string& text) {
  Target next{with_replaced(*target.document, target.offset, target.offset, text),
              target.offset + text.size(),
              {},
              target.basis};
  if (const std::string start = next_line_start(*next.document, next.offset); !start.empty()) {
    next.document = with_replaced(*next.document, next.offset, next.offset, start);
    next.offset += start.size();
  }
  return next;
}

}  // namespace cinnabar::daemon
