#include "daemon/syntax/answer_end.h"

#include <algorithm>

#include "base/text.h"

namespace cinnabar::daemon::syntax {
namespace {

using Role = AnswerToken::Role;
constexpr std::size_t kNone = std::string_view::npos;

bool is_any(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Whether `word` may become one of `words`.
bool begins_any(std::string_view word, std::initializer_list<std::string_view> words) {
  return !word.empty() &&
         std::any_of(words.begin(), words.end(), [&](std::string_view known) { return known.starts_with(word); });
}

// One pass over the answer's tokens and line ends, in order.
class EndFinder {
 public:
  EndFinder(const EndSurroundings& around, std::span<const AnswerToken> tokens, std::string_view text)
      : around_(around), hole_(around.hole), tokens_(tokens), text_(text), outer_(around.open.size()) {
    block_ = hole_.until == Until::block;
    statement_indent_ = hole_.indent;
    first_word_ = first_word(around.line_before);
  }

  std::optional<std::size_t> find() {
    std::size_t next = 0;  // token
    for (std::size_t i = 0; i < text_.size();) {
      if (next < tokens_.size() && tokens_[next].span.begin <= i) {
        const AnswerToken& token = tokens_[next++];
        if (token.role == Role::unfinished) return std::nullopt;
        if (auto end = at_token(token)) return end;
        // What did not parse may hold line ends.
        const std::size_t newline = token.role == Role::other ? text_.find('\n', token.span.begin) : kNone;
        i = std::max(i, std::min(token.span.end, newline));
        continue;
      }
      if (text_[i] == '\n') {
        if (auto end = at_newline(i)) return end;
      }
      ++i;
    }
    return std::nullopt;
  }

 private:
  std::string_view line_until(std::size_t end) const { return text_.substr(line_, end - line_); }
  bool first_line() const { return lines_ == 0; }
  std::size_t stripped_to(std::size_t end) const { return right_stripped(text_.substr(0, end)).size(); }
  bool starts_line(const AnswerToken& token) const {
    return token.span.begin >= line_ && is_blank(line_until(token.span.begin)) &&
           (!first_line() || is_blank(around_.line_before));
  }

  std::optional<std::size_t> at_token(const AnswerToken& token) {
    if (starts_line(token)) {
      if (auto end = at_line_start(token)) return end;
    }
    if (token.role != Role::comment) {
      last_ = &token;
      any_ = true;
    }
    if (token.role == Role::open) local_.push_back(token.pair);
    if (token.role == Role::close) return at_closer(token);
    return std::nullopt;
  }

  std::optional<std::size_t> at_closer(const AnswerToken& token) {
    if (!local_.empty()) {
      if (local_.back()->close == token.pair->close) local_.pop_back();
      return std::nullopt;
    }
    if (outer_ == 0) return before(token);
    const Opener& opener = around_.open[outer_ - 1];
    if (opener.closer || opener.pair->close != token.pair->close) return before(token);
    // The answer may close what the document has left open, but not a statement that the hole is not part of.
    if (!belongs_to_hole(opener) && !(block_ && outer_ == around_.open.size())) return before(token);
    --outer_;
    closed_outer_ = true;
    return std::nullopt;
  }

  // The end in front of a closer that is not the answer's.
  std::size_t before(const AnswerToken& token) const {
    const std::size_t at = token.span.begin;
    const std::string_view rest = around_.rest_of_line, closer = text_.substr(at, token.span.end - at);
    // The answer may have written what stands between the hole and its closer too.
    for (std::size_t i = rest.find(closer); i != kNone; i = rest.find(closer, i + 1)) {
      const std::string_view between = rest.substr(0, i);
      if (i > 0 && text_.substr(0, at).ends_with(between)) return stripped_to(at - i);
    }
    // Blanks and a line end in front of a brace are the answer's where that brace follows on the hole's own line.
    const bool here = rest.starts_with(closer);
    const bool own_line = is_blank(line_until(at)) && !first_line();
    return here && (own_line || closer == "}") ? at : stripped_to(at);
  }

  // Opened on the hole's line, or the bracket that the hole stands in.
  bool belongs_to_hole(const Opener& opener) const {
    const std::size_t line = hole_.begin - std::min(hole_.begin, around_.line_before.size());
    return opener.span.begin >= line || (&opener == &around_.open.back() && !opener.block);
  }

  // A bracket of the document that the answer still has to close.
  bool owes_closer() const {
    return outer_ > 0 && !around_.open[outer_ - 1].closer && belongs_to_hole(around_.open[outer_ - 1]) &&
           !(block_ && around_.open[outer_ - 1].block);
  }

  std::optional<std::size_t> at_newline(std::size_t i) {
    const bool empty_line = is_blank(line_until(i)) && !(first_line() && !is_blank(around_.line_before));
    const bool nothing_yet = !any_ && !(first_line() && !is_blank(around_.line_before));
    std::optional<std::size_t> end;
    if (!nothing_yet && local_.empty() && !owes_closer()) end = complete_at(i, empty_line);
    if (end) return end;
    ++lines_;
    line_ = i + 1;
    if (lines_ >= hole_.max_lines && hole_.max_lines > 1 && local_.empty() && !owes_closer() && any_)
      return stripped_to(i);
    return std::nullopt;
  }

  // At a newline outside all brackets of the answer.
  std::optional<std::size_t> complete_at(std::size_t i, bool empty_line) {
    switch (hole_.until) {
      case Until::bracket:
        return around_.rest_of_line.empty() ? std::nullopt : std::optional(stripped_to(i));
      case Until::block:
        if (closed_outer_) return stripped_to(i);
        if (empty_line && blank_run(i) && around_.language->layout != Layout::indentation) return stripped_to(i);
        return std::nullopt;
      case Until::statement:
        return statement_at(i, empty_line);
      default:
        return stripped_to(i);
    }
  }

  // Two empty lines in a row: a body seldom has them, a model that goes on with something else does.
  bool blank_run(std::size_t i) const {
    const std::string_view head = text_.substr(0, i);
    return head.size() >= 2 && is_blank(head.substr(head.find_last_not_of(" \t\r\n") + 1)) &&
           std::count(head.begin() + static_cast<std::ptrdiff_t>(head.find_last_not_of(" \t\r\n") + 1), head.end(),
                      '\n') >= 2;
  }

  std::optional<std::size_t> statement_at(std::size_t i, bool empty_line) {
    if (in_suite_ || pending_ != kNone) return std::nullopt;
    if (!any_ && !is_blank(text_.substr(0, i))) {  // the parser has made nothing of it yet
      pending_ = stripped_to(i);
      return std::nullopt;
    }
    if (empty_line || last_ == nullptr) return stripped_to(i);
    const std::string_view sign = text_.substr(last_->span.begin, last_->span.end - last_->span.begin);
    const Layout layout = around_.language->layout;
    if (layout == Layout::indentation) {
      if (sign != ":" || !contains(around_.language->header_words, word_of_statement())) return stripped_to(i);
      in_suite_ = true;
      return std::nullopt;
    }
    const bool done = is_any(sign, {";", ",", "}", ":", "end", "fi", "done", "esac"});
    if (layout != Layout::braces) return stripped_to(i);
    const bool wants_more = is_any(word_of_statement(), {"try", "do"}) && sign == "}";
    if (done && !wants_more) return stripped_to(i);
    pending_ = stripped_to(i);  // the next line tells
    return std::nullopt;
  }

  std::string_view word_of_statement() {
    if (first_word_.empty())
      first_word_ = first_word(text_.substr(std::min(text_.find_first_not_of(" \t\r\n"), text_.size())));
    return first_word_;
  }

  // The first token of a line.
  std::optional<std::size_t> at_line_start(const AnswerToken& token) {
    if (first_line()) return std::nullopt;
    const std::string_view word = first_word(text_.substr(token.span.begin, 16));
    const int indent = indent_width(line_until(token.span.begin));
    if (token.span.end == text_.size() && may_become_more(word)) return std::nullopt;
    if (pending_ != kNone) {
      const char c = text_[token.span.begin];
      const bool goes_on = indent > statement_indent_ || std::string_view(".{?:&|").find(c) != std::string_view::npos ||
                           is_any(word, {"catch", "finally", "while", "else"});
      if (!goes_on) return pending_;
      pending_ = kNone;
      return std::nullopt;
    }
    if (!local_.empty() || owes_closer()) return std::nullopt;
    if (in_suite_) {
      if (indent > statement_indent_) return std::nullopt;
      const bool clause = indent == statement_indent_ && is_any(word, {"else", "elif", "except", "finally", "case"});
      return clause ? std::nullopt : std::optional(stripped_to(token.span.begin));
    }
    return block_ ? at_block_line(token, indent) : std::nullopt;
  }

  // The last token may not be whole yet.
  bool may_become_more(std::string_view word) const {
    const bool clause = begins_any(word, {"else", "elif", "except", "catch", "finally", "while", "case"});
    const bool closer = !hole_.closer.empty() && std::string_view(hole_.closer).starts_with(word) && !word.empty();
    return clause || closer;
  }

  std::optional<std::size_t> at_block_line(const AnswerToken& token, int indent) const {
    if (around_.language->layout == Layout::markup || indent > hole_.indent) return std::nullopt;
    if (closed_outer_) return stripped_to(token.span.begin);
    // The body's own closer; what a preprocessor reads; a body that lies no deeper than its header, as namespaces do.
    const bool preprocessor = text_[token.span.begin] == '#' && around_.language->layout == Layout::braces;
    if (token.role == Role::close || preprocessor || !body_lies_deeper()) return std::nullopt;
    return stripped_to(token.span.begin);
  }

  bool body_lies_deeper() const {
    if (!is_blank(around_.line_before)) {
      const std::size_t first = text_.find_first_not_of(" \t\r\n");
      const std::size_t line = first == kNone ? kNone : text_.rfind('\n', first);
      return line == kNone || indent_width(text_.substr(line + 1)) > hole_.indent;
    }
    return indent_width(around_.line_before + std::string(text_.substr(0, text_.find('\n')))) > hole_.indent;
  }

  const EndSurroundings& around_;
  const Hole& hole_;
  std::span<const AnswerToken> tokens_;
  std::string_view text_;
  std::vector<const Pair*> local_;  // opened by the answer
  std::size_t outer_;               // openers of the document that are still open
  bool closed_outer_ = false;
  bool block_ = false, in_suite_ = false;
  bool any_ = false;                   // a token that is no comment was met
  const AnswerToken* last_ = nullptr;  // the last of those
  int statement_indent_ = 0;
  std::string_view first_word_;
  std::size_t pending_ = kNone;  // the end, should the next line not go on
  std::size_t line_ = 0;         // where the line under way begins
  int lines_ = 0;
};

std::optional<std::size_t> end_of_string(const EndSurroundings& around, std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
      continue;
    }
    if (!around.hole.closer.empty() && text.substr(i).starts_with(around.hole.closer)) return i;
    if (text[i] == '\n') return i;
  }
  return std::nullopt;
}

std::optional<std::size_t> end_of_comment(const EndSurroundings& around, std::string_view text) {
  const Hole& hole = around.hole;
  if (!hole.closer.empty()) {
    const std::size_t closer = text.find(hole.closer);
    if (closer == kNone) return std::nullopt;
    if (!hole.closer_given) return closer + hole.closer.size();
    const std::size_t line = text.rfind('\n', closer);
    const bool alone = line != kNone && is_blank(text.substr(line, closer - line));
    const bool same_line = around.rest_of_line.starts_with(hole.closer);
    return alone && same_line ? closer : right_stripped(text.substr(0, closer)).size();
  }
  // Comments of lines: until a line is none.
  const std::string_view mark = around.language->line_comment;
  for (std::size_t newline = text.find('\n'); newline != kNone; newline = text.find('\n', newline + 1)) {
    const std::size_t first = text.find_first_not_of(" \t", newline + 1);
    if (first == kNone || text.size() - first < mark.size()) return std::nullopt;
    if (!text.substr(first).starts_with(mark)) return right_stripped(text.substr(0, newline)).size();
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::size_t> find_answer_end(const EndSurroundings& around, std::span<const AnswerToken> tokens,
                                           std::string_view text) {
  if (around.hole.until == Until::string) return end_of_string(around, text);
  if (around.hole.until == Until::comment) return end_of_comment(around, text);
  return EndFinder(around, tokens, text).find();
}

}  // namespace cinnabar::daemon::syntax
