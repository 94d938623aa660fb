#include "daemon/syntax/line_lexer.h"

#include <algorithm>
#include "base/text.h"

namespace cinnabar::daemon::syntax {
namespace {


char closer_of(char opener) { return opener == '(' ? ')' : opener == '[' ? ']' : opener == '{' ? '}' : '\0'; }

class Lexer {
 public:
  Lexer(const Language* language, std::string_view text, std::size_t from)
      : language_(language), text_(text), from_(from) {}

  LexedLine run() {
    for (at_ = 0; at_ < text_.size(); ++at_) {
      if (!forgot_ && at_ >= from_) forget_brackets();
      if (comment_) {
        comment_ = text_[at_] != '\n';
        continue;
      }
      if (out_.quote != 0)
        in_string(text_[at_]);
      else
        in_code(text_[at_]);
    }
    if (!forgot_) forget_brackets();
    return std::move(out_);
  }

 private:
  // A string's code ("${") that begins in front of the text stays known, or its closer would be one too many.
  void forget_brackets() {
    forgot_ = true;
    out_.open.erase(std::remove_if(out_.open.begin(), out_.open.end(), [](char c) { return c != kCode; }),
                    out_.open.end());
    out_.unmatched.clear();
    if (!comment_) out_.comment = LexedLine::kNone;
  }

  void in_string(char c) {
    if (c == '\\') {
      ++at_;
    } else if (c == '\n' && !out_.long_quote) {
      out_.quote = 0;
    } else if (out_.quote == '`' && c == '$' && next() == '{') {
      ++at_;
      out_.open += kCode;
      out_.quote = 0;
    } else if (c == out_.quote && (!triple_ || text_.substr(at_).starts_with(std::string(3, c)))) {
      if (triple_) at_ += 2;
      out_.quote = 0;
      triple_ = out_.long_quote = false;
    }
  }

  void in_code(char c) {
    if (begins_comment(c)) {
      comment_ = true;
      out_.comment = at_ < from_ ? 0 : at_ - from_;
    } else if (c == '"' || c == '`' || (c == '\'' && is_quote())) {
      out_.quote = c;
      triple_ = c != '`' && text_.substr(at_).starts_with(std::string(3, c));
      out_.long_quote = triple_ || c == '`';
      if (triple_) at_ += 2;
    } else if (const char closer = closer_of(c)) {
      out_.open += closer;
    } else if (c == ')' || c == ']' || c == '}') {
      close(c);
    }
  }

  void close(char c) {
    if (!out_.open.empty() && out_.open.back() == kCode && c == '}') {
      out_.open.pop_back();
      out_.quote = '`';
      out_.long_quote = true;
      return;
    }
    const std::size_t found = out_.open.rfind(c);
    const std::size_t code = out_.open.rfind(kCode);
    if (found != std::string::npos && (code == std::string::npos || code < found))
      out_.open.resize(found);
    else if (at_ >= from_)
      out_.unmatched.push_back(at_ - from_);
  }

  char next() const { return at_ + 1 < text_.size() ? text_[at_ + 1] : '\0'; }
  char last() const { return at_ > 0 ? text_[at_ - 1] : '\n'; }

  // An apostrophe, a lifetime and a digit separator are none.
  bool is_quote() const {
    if (is_word_byte(last())) return false;
    const std::string_view rest = text_.substr(at_ + 1, text_.find('\n', at_) - at_ - 1);
    const bool closed = rest.find('\'') != std::string_view::npos;
    if (language_ == nullptr || language_->layout == Layout::markup) return closed;
    return closed || !is_word_byte(next()) || contains(language_->strings, "string");
  }

  bool begins_comment(char c) const {
    const std::string_view rest = text_.substr(at_);
    const bool apart = last() == ' ' || last() == '\t' || last() == '\n';
    if (language_ == nullptr)
      return apart && (rest.starts_with("// ") || rest.starts_with("# ") || rest.starts_with("-- "));
    const std::string_view mark = language_->line_comment;
    if (mark.empty() || !rest.starts_with(mark)) return false;
    if (mark == "#") return apart || (language_->layout == Layout::indentation && c == '#');
    return last() != ':';  // a URL
  }

  static constexpr char kCode = '$';  // an interpolation, among the closers that are owed
  const Language* language_;
  const std::string_view text_;
  const std::size_t from_;
  std::size_t at_ = 0;
  bool comment_ = false, triple_ = false, forgot_ = false;
  LexedLine out_;
};

}  // namespace

LexedLine lex_line(const Language* language, std::string_view text, std::string_view before) {
  const std::string all = std::string(before) + std::string(text);
  LexedLine lexed = Lexer(language, all, before.size()).run();
  std::replace(lexed.open.begin(), lexed.open.end(), '$', '}');
  return lexed;
}

}  // namespace cinnabar::daemon::syntax
