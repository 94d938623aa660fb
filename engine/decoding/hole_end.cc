#include "engine/decoding/hole_end.h"

#include <algorithm>

#include "base/text.h"

namespace cinnabar::engine {
namespace {

constexpr std::string_view kBlank = " \t\r";

std::string_view right_stripped(std::string_view text) {
  const std::size_t last = text.find_last_not_of(" \t\r\n");
  return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

std::string_view stripped(std::string_view text) {
  text = right_stripped(text);
  const std::size_t first = text.find_first_not_of(kBlank);
  return first == std::string_view::npos ? std::string_view() : text.substr(first);
}

bool is_blank(std::string_view line) { return line.find_first_not_of(kBlank) == std::string_view::npos; }

char closer_of(char opener) { return opener == '(' ? ')' : opener == '[' ? ']' : '}'; }

// Brackets and quotes as far as most languages agree on them: a string ends with its line at the latest, so a stray
// apostrophe costs one line of attention and no more.
class BracketScan {
 public:
  // True when `c` closes a bracket that was not opened in this text.
  bool closes_outside(char c) {
    if (c == '\n') {
      quote_ = 0;
      escaped_ = false;
      return false;
    }
    if (quote_ != 0) {
      follow_string(c);
      return false;
    }
    switch (c) {
      case '"':
      case '\'':
      case '`':
        quote_ = c;
        return false;
      case '(':
      case '[':
      case '{':
        open_.push_back(closer_of(c));
        return false;
      case ')':
      case ']':
      case '}':
        if (open_.empty()) return true;
        open_.pop_back();
        return false;
      default:
        return false;
    }
  }
  bool balanced() const { return open_.empty(); }
  bool in_string() const { return quote_ != 0; }

 private:
  void follow_string(char c) {
    if (escaped_)
      escaped_ = false;
    else if (c == '\\')
      escaped_ = true;
    else if (c == quote_)
      quote_ = 0;
  }
  std::string open_;
  char quote_ = 0;
  bool escaped_ = false;
};

// Where a hole of lines seems to have ended, the line behind it has to be repeated within so many lines for it to go on.
constexpr int kLinesBeyond = 6;

// One pass over the text so far, line by line.
class EndFinder {
 public:
  EndFinder(const HoleSurroundings& hole, std::string_view text) : hole_(hole), text_(text) {}

  std::optional<std::size_t> find() {
    for (std::size_t i = 0; i < text_.size(); ++i) {
      const char c = text_[i];
      if (c == '\n') {
        if (auto end = at_newline(i)) return end;
      } else if (!line_judged_ && kBlank.find(c) == std::string_view::npos) {
        line_judged_ = true;
        if (auto end = at_line_start(i)) return end;
      }
      const bool outside = scan_.closes_outside(c);
      if (outside) {
        if (auto end = at_outside_closer(i)) return end;
      }
    }
    return std::nullopt;
  }

  // Where the answer ends if no more comes; find() has found no end.
  std::size_t unended(bool whole) const {
    if (!hole_.whole_lines) return text_.size();
    if (doubtful_) return *doubtful_;
    const std::size_t newline = whole ? std::string_view::npos : text_.rfind('\n');
    if (newline == std::string_view::npos) return text_.size();
    return hole_.at_next_line ? newline + 1 : right_stripped(text_.substr(0, newline)).size();
  }

 private:
  std::string_view line_until(std::size_t end) const { return text_.substr(line_start_, end - line_start_); }
  bool first_line() const { return line_start_ == 0; }

  // The end before the current line: without the newline in front of it and blank lines before that, unless what stands
  // behind the hole needs them.
  std::size_t before_this_line() const {
    return hole_.at_next_line ? line_start_ : right_stripped(text_.substr(0, line_start_)).size();
  }

  std::optional<std::size_t> at_newline(std::size_t i) {
    if (hole_.rule == EndRule::line) return end_of_single_line(i);
    if ((!first_line() || is_blank(hole_.line_before)) && repeats_next_line(i)) {
      const bool as_it_stands = right_stripped(line_until(i)) == hole_.next_line;
      return doubtful_ && !as_it_stands ? doubtful_ : before_this_line();
    }
    if (first_line() && !hole_.rest_of_line.empty()) {
      if (auto end = without_rest_of_line(i)) return end;
    }
    // The closer's line is the last, unless it opens the next part ("} else {").
    if (closed_outside_ && scan_.balanced()) return i;
    line_start_ = i + 1;
    line_judged_ = false;
    return std::nullopt;
  }

  std::size_t end_of_single_line(std::size_t i) const {
    if (auto end = without_rest_of_line(i)) return *end;
    return right_stripped(text_.substr(0, i)).size();
  }

  // The line generated what already stands behind the cursor: cut it off.
  std::optional<std::size_t> without_rest_of_line(std::size_t i) const {
    const std::string_view line = right_stripped(line_until(i));
    const std::string_view rest = hole_.rest_of_line;
    if (rest.empty() || !line.ends_with(rest)) return std::nullopt;
    return line_start_ + line.size() - rest.size();
  }

  bool repeats_next_line(std::size_t i) const {
    if (hole_.next_line.empty() || !scan_.balanced()) return false;
    const std::string_view line = right_stripped(line_until(i));
    if (line == hole_.next_line) return true;
    constexpr std::size_t kTelling = 8;  // shorter lines ("}", "else:") are told apart by their indentation
    return stripped(line).size() >= kTelling && stripped(line) == stripped(hole_.next_line);
  }

  // A line of the block rule is judged when its first character that is not blank is there.
  std::optional<std::size_t> at_line_start(std::size_t i) {
    const bool inside_line = !is_blank(hole_.line_before);
    if (first_line()) {
      const int before = indent_width(hole_.line_before);
      hole_indent_ = inside_line ? before + 1 : before + indent_width(line_until(i));
      return std::nullopt;
    }
    if (hole_.rule == EndRule::line || !scan_.balanced() || scan_.in_string()) return std::nullopt;
    const int indent = indent_width(line_until(i));
    if (hole_indent_ < 0) hole_indent_ = indent;  // the answer began with a newline
    const char c = text_[i];
    const bool closer = c == '}' || c == ')' || c == ']';
    if (hole_.rule == EndRule::hole) return hole_.whole_lines ? at_line_of_hole(indent, closer) : std::nullopt;
    if (indent >= hole_indent_) return std::nullopt;
    if (closer && !hole_.rest_of_line.empty() && hole_.rest_of_line.front() == c) return i;
    // A closer of what the prefix opened belongs to the answer unless it stands behind the hole already.
    if (closer && inside_line && indent == indent_width(hole_.line_before) && !given_behind(c)) return std::nullopt;
    return before_this_line();
  }

  // A line of a hole of lines. Where it leaves the lines that the hole begins with, or goes in where only the line behind
  // the hole can stand, the hole has ended, unless the line behind it is repeated soon: then all up to there is the answer.
  std::optional<std::size_t> at_line_of_hole(int indent, bool closer) {
    if (doubtful_ && ++lines_beyond_ >= kLinesBeyond) return doubtful_;
    const int next_indent = indent_width(hole_.next_line);
    const bool leaves = indent < hole_indent_;
    const bool goes_in = next_indent > hole_indent_ && indent >= next_indent;
    if (!(leaves || goes_in) || closer) return std::nullopt;
    if (!doubtful_) doubtful_ = before_this_line();
    const bool left_all = indent == 0 && next_indent > 0;  // what stands behind the hole lies further in
    if (hole_.next_line.empty() || left_all) return doubtful_;
    return std::nullopt;
  }

  bool given_behind(char closer) const {
    if (!hole_.rest_of_line.empty()) return hole_.rest_of_line.front() == closer;
    const std::string_view next = stripped(hole_.next_line);
    return !next.empty() && next.front() == closer;
  }

  // A closer that begins a line further in than the one behind the hole closes another bracket than that one.
  bool deeper_than_next_line(std::size_t i) const {
    if (!hole_.rest_of_line.empty() || first_line() || !is_blank(line_until(i))) return false;
    return indent_width(line_until(i)) > indent_width(hole_.next_line);
  }

  std::optional<std::size_t> at_outside_closer(std::size_t i) {
    // The closer stands behind the hole on its own line: a line end in front of it is the answer's.
    const bool given_here = !hole_.rest_of_line.empty() && hole_.rest_of_line.front() == text_[i];
    if (given_here && (first_line() || is_blank(line_until(i)))) return i;
    if (hole_.rule == EndRule::line) return std::nullopt;
    if (given_behind(text_[i]) && !deeper_than_next_line(i))
      return is_blank(line_until(i)) ? before_this_line() : right_stripped(text_.substr(0, i)).size();
    if (first_line()) return std::nullopt;
    if (hole_.rule == EndRule::block) closed_outside_ = true;
    hole_indent_ = std::min(hole_indent_, indent_width(line_until(i)));  // what follows stands around the bracket
    return std::nullopt;
  }

  const HoleSurroundings& hole_;
  std::string_view text_;
  BracketScan scan_;
  std::size_t line_start_ = 0;
  bool line_judged_ = false;
  bool closed_outside_ = false;
  int hole_indent_ = -1;
  std::optional<std::size_t> doubtful_;  // an end, unless the line behind the hole is repeated soon
  int lines_beyond_ = 0;
};

}  // namespace

HoleSurroundings describe_hole(std::string_view prefix, std::string_view suffix, EndRule rule) {
  HoleSurroundings hole;
  hole.rule = rule;
  const std::size_t line_start = prefix.rfind('\n');
  hole.line_before = prefix.substr(line_start == std::string_view::npos ? 0 : line_start + 1);
  const std::size_t line_end = std::min(suffix.find('\n'), suffix.size());
  hole.rest_of_line = stripped(suffix.substr(0, line_end));
  hole.whole_lines = rule != EndRule::line && is_blank(hole.line_before) && !(prefix.empty() && suffix.empty());
  if (hole.whole_lines && hole.line_before.empty() && !hole.rest_of_line.empty()) {
    hole.at_next_line = true;
    hole.next_line = right_stripped(suffix.substr(0, line_end));
    hole.rest_of_line.clear();
    return hole;
  }
  std::size_t at = line_end;
  while (at < suffix.size()) {
    const std::size_t end = std::min(suffix.find('\n', at + 1), suffix.size());
    const std::string_view line = suffix.substr(at + 1, end - at - 1);
    if (!is_blank(line)) {
      hole.next_line = right_stripped(line);
      break;
    }
    at = end;
  }
  return hole;
}

std::optional<std::size_t> find_hole_end(const HoleSurroundings& hole, std::string_view text) {
  return EndFinder(hole, text).find();
}

std::size_t unended_length(const HoleSurroundings& hole, std::string_view text, bool whole) {
  if (whole) {  // its last line is one, too: it may repeat the one behind the hole
    const std::string lines = std::string(text) + "\n";
    EndFinder finder(hole, lines);
    return std::min(finder.find().value_or(finder.unended(true)), text.size());
  }
  EndFinder finder(hole, text);
  return finder.find().value_or(finder.unended(false));
}

}  // namespace cinnabar::engine
