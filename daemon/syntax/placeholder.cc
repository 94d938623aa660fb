#include "daemon/syntax/placeholder.h"

#include <algorithm>
#include <cctype>

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

std::string closing_tags(const Language& language, std::string_view text) {
  static constexpr std::string_view kEndless[] = {"area",  "base", "br",   "col",    "embed", "hr", "img",
                                                  "input", "link", "meta", "source", "track", "wbr"};
  if (!language.has_tags) return {};
  std::vector<std::string_view> open;
  for (std::size_t at = text.find('<'); at != std::string_view::npos; at = text.find('<', at + 1)) {
    const bool closes = text.substr(at + 1).starts_with('/');
    const std::size_t name = at + (closes ? 2 : 1), end = text.find('>', at);
    std::size_t length = name;
    while (length < text.size() &&
           (std::isalnum(static_cast<unsigned char>(text[length])) != 0 || text[length] == '-' || text[length] == '.'))
      ++length;
    if (length == name || end == std::string_view::npos) continue;
    if (closes) {
      if (!open.empty()) open.pop_back();
    } else if (text[end - 1] != '/' && !contains(kEndless, text.substr(name, length - name))) {
      open.push_back(text.substr(name, length - name));
    }
  }
  std::string tags;
  for (auto tag = open.rbegin(); tag != open.rend(); ++tag) tags += "</" + std::string(*tag) + ">";
  return tags;
}

}  // namespace cinnabar::daemon::syntax
