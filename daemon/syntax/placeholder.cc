#include "daemon/syntax/placeholder.h"

#include <algorithm>

#include "base/text.h"
#include "daemon/syntax/line_lexer.h"

namespace cinnabar::daemon::syntax {

namespace {

bool has_header_word(const Language& language, std::string_view line) {
  for (std::size_t at = 0; at < line.size();) {
    const std::string_view word = first_word(line.substr(at));
    if (contains(language.header_words, word)) return true;
    at = word.empty() ? at + 1 : static_cast<std::size_t>(word.data() - line.data()) + word.size();
  }
  return false;
}

}  // namespace

std::vector<std::string> placeholders(const Language& language, const Hole& hole, std::string_view before,
                                      std::string_view behind) {
  if (hole.kind == HoleKind::comment || hole.kind == HoleKind::doc_comment) return {"", hole.closer};
  // What the line has opened and nothing behind the hole closes.
  const std::string open = lex_line(&language, before).open;
  const std::size_t given = lex_line(&language, behind, before).unmatched.size();
  std::string owed(open.rbegin(), open.rend());
  owed.resize(owed.size() - std::min(owed.size(), given));
  const bool markup = language.layout == Layout::markup;
  if (markup && is_blank(behind) && before.rfind('<') != std::string_view::npos &&
      before.find('>', before.rfind('<')) == std::string_view::npos)
    owed += ">";
  if (hole.kind == HoleKind::string) {
    if (hole.closer_given) return {"", "x"};
    return {hole.closer + owed, "x" + hole.closer + owed + ";", hole.closer};
  }
  const std::string name = "x";
  std::vector<std::string> texts{name + owed};
  const bool header = has_header_word(language, before);
  switch (language.layout) {
    case Layout::indentation:
      texts.push_back(header ? name + owed + ": pass" : "pass");
      if (header) texts.push_back("(): pass");
      break;
    case Layout::braces:
      texts.push_back(name + owed + ";");
      if (header && is_blank(behind)) texts.insert(texts.end(), {name + owed + " {}", "() {}"});
      break;
    case Layout::keywords:
    case Layout::data:
    case Layout::markup:
      if (!owed.empty()) texts.push_back(owed);
      break;
  }
  return texts;
}

}  // namespace cinnabar::daemon::syntax
