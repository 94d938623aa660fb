#include "daemon/syntax/cuts.h"

#include <algorithm>

#include "base/text.h"
#include "daemon/syntax/line_lexer.h"

namespace cinnabar::daemon::syntax {
namespace {

struct Extent {
  std::size_t begin = 0, end = 0;
  int indent = 0;
};

std::vector<Extent> lines_of(std::string_view text) {
  std::vector<Extent> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (!is_blank(text.substr(at, end - at))) lines.push_back({at, end, indent_width(text.substr(at, end - at))});
    at = end + 1;
  }
  return lines;
}

// Whether `line` belongs to the statement above it.
bool goes_on(std::string_view line) {
  line = stripped(line);
  constexpr std::string_view kWords[] = {"else",   "elif",  "elseif", "elsif", "except", "catch", "finally",
                                         "end",    "fi",    "done",   "esac",  "then",   "do",    "rescue",
                                         "ensure", "until", "and",    "or",    "when",   "case",  "default"};
  if (contains(kWords, first_word(line))) return true;
  return std::string_view(")]}.?:&|+=").find(line.front()) != std::string_view::npos;
}

// Whether `line` waits for a line below it.
bool waits(std::string_view line) {
  line = stripped(line);
  if (line.starts_with("@") || line.ends_with("\\")) return true;
  if (line.ends_with("++") || line.ends_with("--")) return false;
  return std::string_view(":=+-|&").find(line.back()) != std::string_view::npos || line.ends_with("=>") ||
         line.ends_with("->");
}

}  // namespace

std::vector<std::size_t> cuts(std::string_view answer, const Language* language) {
  const std::vector<Extent> lines = lines_of(answer);
  std::vector<std::size_t> lengths;
  // The first line stands behind text of the document; its own blanks say nothing.
  int shallowest = lines.size() > 1 ? lines[1].indent : 0;
  for (std::size_t i = 1; i < lines.size(); ++i) shallowest = std::min(shallowest, lines[i].indent);
  for (std::size_t i = lines.size(); i-- > 1;) {
    const Extent& next = lines[i];
    const Extent& last = lines[i - 1];
    if (next.indent > shallowest || goes_on(answer.substr(next.begin, next.end - next.begin))) continue;
    if (waits(answer.substr(last.begin, last.end - last.begin))) continue;
    const std::string_view head = answer.substr(0, last.end);
    const LexedLine lexed = lex_line(language, head);
    if (lexed.open.empty() && lexed.quote == 0) lengths.push_back(right_stripped(head).size());
  }
  return lengths;
}

}  // namespace cinnabar::daemon::syntax
