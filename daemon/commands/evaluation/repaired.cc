#include "daemon/commands/evaluation/repaired.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "daemon/commands/evaluation/score.h"

namespace cinnabar::daemon::evaluation {
namespace {


// One pass over a text: what it leaves open, and what it closes without having opened it.
class Scan {
 public:
  Scan(const syntax::Language& language, std::string_view text) : language_(language), text_(text) {
    while (at_ < text_.size()) step();
  }

  std::string quote;                      // of an open string or comment
  std::vector<std::string> open;          // closers, the outermost first
  std::vector<std::string> closed_extra;  // in order

 private:
  bool skip(std::string_view mark) {
    if (mark.empty() || !text_.substr(at_).starts_with(mark)) return false;
    at_ += mark.size();
    return true;
  }

  void step() {
    if (!language_.line_comment.empty() && text_.substr(at_).starts_with(language_.line_comment)) {
      at_ = std::min(text_.find('\n', at_), text_.size());
      return;
    }
    const bool stars = language_.line_comment == "//" || language_.line_comment.empty();
    if (stars && skip("/*")) return until("*/", false);
    if (language_.layout == syntax::Layout::markup && skip("<!--")) return until("-->", false);
    for (const std::string_view marks : language_.long_quotes) {
      if (skip(marks)) return until(marks, true);
    }
    const char c = text_[at_];
    if (c == '\'' && !begins_string()) {
      ++at_;
      return;
    }
    const bool markup = language_.layout == syntax::Layout::markup && (open.empty() || open.back() != ">");
    if (!markup && (c == '"' || c == '\'' || c == '`')) {
      ++at_;
      return until(std::string(1, c), c != '`');
    }
    if (is_word_byte(c)) return word();
    ++at_;
    bracket(c);
  }

  // Lifetimes and labels are none, nor is an apostrophe in a word.
  bool begins_string() const {
    if (at_ > 0 && is_word_byte(text_[at_ - 1])) return false;
    if (language_.name != "rust") return true;
    return text_.substr(at_ + 1, 1) == "\\" || text_.substr(at_ + 2, 1) == "'";
  }

  void until(std::string_view mark, bool escapes) {
    const bool one_line = mark == "\"" || mark == "'";
    while (at_ < text_.size()) {
      if (escapes && text_[at_] == '\\') {
        at_ = std::min(at_ + 2, text_.size());
        continue;
      }
      if (skip(mark)) return;
      if (one_line && text_[at_] == '\n' && language_.layout != syntax::Layout::markup) return;
      ++at_;
    }
    quote = mark;
  }

  void word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_word_byte(text_[at_])) ++at_;
    if (language_.layout != syntax::Layout::keywords) return;
    const std::string_view found = text_.substr(begin, at_ - begin);
    // Ruby's modifiers stand behind something on their line.
    const bool first = is_blank(text_.substr(line_begin(text_, begin), begin - line_begin(text_, begin)));
    for (const syntax::Pair& pair : language_.pairs) {
      if (!is_word_byte(pair.open.front())) continue;
      const bool modifier = language_.name == "ruby" && found != "do" && found != "begin" && !first;
      // "while ... do" is closed once.
      const bool loop_again = found == "do" && language_.name == "ruby" && line_opens_loop(begin);
      if (found == pair.open && !modifier && !loop_again) return open.emplace_back(pair.close), void();
      if (found == pair.close) return close(found);
    }
  }

  bool line_opens_loop(std::size_t at) const {
    const std::string_view first =
        first_word(stripped(text_.substr(line_begin(text_, at), at - line_begin(text_, at))));
    return first == "while" || first == "until" || first == "for";
  }

  void bracket(char c) {
    switch (c) {
      case '(':
        return open.emplace_back(")"), void();
      case '[':
        return open.emplace_back("]"), void();
      case '{':
        return open.emplace_back("}"), void();
      case ')':
      case ']':
      case '}':
        return close(std::string_view(&c, 1));
      default:
        return;
    }
  }

  // A closer that fits further out closes what lies in between, too.
  void close(std::string_view closer) {
    const auto fits = std::find(open.rbegin(), open.rend(), closer);
    if (fits == open.rend())
      closed_extra.emplace_back(closer);
    else
      open.erase(std::prev(fits.base()), open.end());
  }

  const syntax::Language& language_;
  const std::string_view text_;
  std::size_t at_ = 0;
};

// What may stand where a statement has only been begun.
std::vector<std::string> rests(const syntax::Language& language, std::string_view before) {
  const std::string_view line = before.substr(line_begin(before, before.size()));
  const std::string deeper = "\n" + std::string(indentation_of(line)) + "    ";
  std::vector<std::string> rests = {"", "x", " x"};
  switch (language.layout) {
    case syntax::Layout::indentation:
      rests.insert(rests.end(), {deeper + "pass", ":" + deeper + "pass", " x:" + deeper + "pass"});
      break;
    case syntax::Layout::keywords:
      rests.insert(rests.end(), {"\n", " then\n:\nfi", "; do\n:\ndone", "\n:", " then\nend", " do\nend"});
      break;
    case syntax::Layout::markup:
      rests.insert(rests.end(), {">", "\">"});
      break;
    default:
      rests.insert(rests.end(), {";", "x;", " {}", "{\n}", ": x", "x: x"});
  }
  return rests;
}

}  // namespace

std::vector<std::string> open_closers(const syntax::Language& language, std::string_view before,
                                      std::string_view behind) {
  Scan scan(language, before);
  std::vector<std::string> closers;
  if (!scan.quote.empty()) {
    // The closer on the cursor's own line is this string's.
    const std::size_t given = behind.substr(0, behind.find('\n')).find(scan.quote);
    if (given == std::string_view::npos)
      closers.push_back(scan.quote);
    else
      behind.remove_prefix(given + scan.quote.size());
  }
  const Scan rest(language, behind);
  // What follows closes the outermost ones.
  for (auto closer = rest.closed_extra.rbegin(); closer != rest.closed_extra.rend(); ++closer) {
    const auto fits = std::find(scan.open.begin(), scan.open.end(), *closer);
    if (fits != scan.open.end()) scan.open.erase(fits);
  }
  for (auto open = scan.open.rbegin(); open != scan.open.rend(); ++open) closers.push_back(*open);
  return closers;
}

std::optional<int> wrong_when_repaired(const syntax::Language& language, const std::string& before,
                                       const std::string& behind) {
  std::string close_here, close_below;
  for (const std::string& closer : open_closers(language, before, behind)) {
    close_here += is_word_byte(closer.front()) ? "\n" + closer : closer;
    close_below += is_word_byte(closer.front()) || closer == "}" ? "\n" + closer : closer;
  }
  std::optional<int> least;
  for (const std::string& rest : rests(language, before)) {
    for (const std::string& close : {close_here, close_below}) {
      const auto found = wrong_nodes(language, before + rest + close + behind);
      if (!found) return std::nullopt;
      const int wrong = found->errors + found->missing;
      if (!least || wrong < *least) least = wrong;
      if (*least == 0) return least;
    }
  }
  return least;
}

}  // namespace cinnabar::daemon::evaluation
