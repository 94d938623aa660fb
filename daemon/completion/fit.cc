#include "daemon/completion/fit.h"

#include <algorithm>

#include "daemon/syntax/indentation.h"
#include "daemon/syntax/line_lexer.h"
#include "base/text.h"

namespace cinnabar::daemon {
namespace {

using syntax::lex_line;
using syntax::LexedLine;
constexpr std::size_t kNone = std::string_view::npos;
constexpr std::string_view kClosers = ")]}";

bool is_space(char c) { return c == ' ' || c == '\t'; }
bool is_any(char c, std::string_view characters) { return characters.find(c) != kNone; }

std::string_view first_line(std::string_view text) { return text.substr(0, text.find('\n')); }

// The last line of `text` that is not blank.
std::string_view line_above(std::string_view text) {
  text = right_stripped(text);
  return text.substr(line_begin(text, text.size()));
}

// ---- blanks at the begin

// How the file writes what follows `opener`: with a blank more often than without.
bool file_has_blank_behind(char opener, std::string_view text) {
  constexpr std::size_t kLooked = 16 * 1024;
  text = text.substr(text.size() - std::min(text.size(), kLooked));
  int with = 0, without = 0;
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] != opener || text[i + 1] == '\n' || text[i + 1] == '\r') continue;
    ++(is_space(text[i + 1]) ? with : without);
  }
  return with > without;
}

// A dot of code joins; one of prose ends a sentence.
bool joins(std::string_view line) {
  if (line.size() < 2) return false;
  const char before = line[line.size() - 2];
  if (!is_word_byte(before) && !is_any(before, ")]}?!\"'`")) return false;
  int words = 0;  // in a row, with nothing but a blank between them
  for (std::size_t i = line.size() - 1; i-- > 0 && (is_word_byte(line[i]) || line[i] == ' ');)
    words += line[i] == ' ' && i > 0 && is_word_byte(line[i - 1]);
  return words < 3;
}

// Whether no blank belongs between what ends the line and what follows.
bool opens_without_blank(const Fitting& place) {
  const std::string_view line = place.line_before();
  const char last = line.back(), before = line.size() > 1 ? line[line.size() - 2] : ' ';
  const bool shell = place.language != nullptr && place.language->layout == syntax::Layout::keywords &&
                     place.language->line_comment == "#" && syntax::contains(place.language->header_words, "elif");
  const std::string_view text = place.before.substr(0, place.before.size() - 1);
  switch (last) {
    case '(':
      return !file_has_blank_behind(last, text);
    case '[':
      return !shell && !file_has_blank_behind(last, text);
    case '{':
      return before == '$' || before == '#';
    case '<':
      return !is_space(before);
    case '.':
      return joins(line);
    case ':':
      return before == ':';
    case '>':  // a member; in other languages "->" is a result
      return before == '-' && place.language != nullptr && line.size() > 2 &&
             (is_word_byte(line[line.size() - 3]) || is_any(line[line.size() - 3], ")]"));
    case '@':
    case '$':
      return true;
    default:
      return false;
  }
}

bool opens_deeper(std::string_view line) {
  line = right_stripped(line);
  if (line.empty()) return false;
  if (is_any(line.back(), ":{([,=>|&\\+")) return true;
  const std::string_view word = line.substr(line.find_last_of(" \t;)") + 1);
  constexpr std::string_view kWords[] = {"do", "then", "else", "begin", "in", "of", "where", "repeat", "try"};
  const std::string_view head = first_word(line);
  return syntax::contains(kWords, word) || head == "function" || head == "def" || head == "class" ||
         line.find("function") != kNone;
}

// `answer` with `columns` fewer in front of every line below the first, where all of them have more than `floor`.
std::string moved_left(std::string_view answer, std::size_t columns, std::size_t floor) {
  for (std::size_t at = answer.find('\n'); at != kNone; at = answer.find('\n', at + 1)) {
    const std::string_view line = first_line(answer.substr(at + 1));
    if (!is_blank(line) && indentation_of(line).size() < floor + columns) return std::string(answer);
  }
  std::string out;
  for (std::size_t at = 0; at < answer.size();) {
    const std::size_t end = std::min(answer.find('\n', at), answer.size() - 1) + 1;
    const bool moves = at > 0 && !is_blank(answer.substr(at, end - at));
    out += answer.substr(at + (moves ? columns : 0), end - at - (moves ? columns : 0));
    at = end;
  }
  return out;
}

}  // namespace

bool Fitting::in_text() const {
  if (hole == nullptr) return false;
  using syntax::HoleKind;
  return hole->kind == HoleKind::string || hole->kind == HoleKind::comment || hole->kind == HoleKind::doc_comment;
}

std::string with_leading_blanks_of(std::string_view answer, const Fitting& place) {
  const std::size_t blanks = std::min(answer.find_first_not_of(" \t"), answer.size());
  if (blanks == 0 || blanks == answer.size() || answer[blanks] == '\n') return std::string(answer);
  const std::string_view line = place.line_before(), rest = answer.substr(blanks);
  if (is_blank(line)) {
    const std::string_view above = line_above(place.before.substr(0, place.before.size() - line.size()));
    const bool wants_deeper = opens_deeper(above) && indent_width(line) <= indent_width(above);
    const bool begins_level = line.empty() && indent_width(above) > 0;
    if (wants_deeper || begins_level) return std::string(answer);
    return moved_left(rest, blanks, line.size());
  }
  const bool begins_comment = place.language != nullptr && syntax::begins_comment(*place.language, rest);
  if (is_space(line.back())) return std::string(begins_comment ? answer : rest);
  if (place.in_text()) return std::string(answer);
  return std::string(opens_without_blank(place) ? rest : answer);
}

// ---- what stands behind the cursor

namespace {

// Nothing but closers and what follows them.
bool is_closing(std::string_view rest) { return rest.find_first_not_of(")]};,:>\"'` \t\r") == kNone; }

// Whether `tail` is what stands behind the cursor over again, blanks left out: all of it, all but its last marks, or
// enough of its begin to tell.
bool comes_again(std::string_view tail, std::string_view rest) {
  constexpr int kTelling = 4;
  int same = 0;
  bool word = false;
  std::size_t i = 0, k = 0;
  for (;;) {
    while (i < tail.size() && is_space(tail[i])) ++i;
    while (k < rest.size() && is_space(rest[k])) ++k;
    if (i == tail.size() || k == rest.size()) break;
    if (tail[i] != rest[k]) return false;
    word = word || is_word_byte(tail[i]);
    ++same, ++i, ++k;
  }
  if (same == 0) return false;
  if (i == tail.size() && k == rest.size()) return true;
  if (i == tail.size()) return is_closing(rest.substr(k)) ? word || same > 1 : word && same >= kTelling;
  return word && same >= kTelling;
}

// Where what follows begins to come again; the answer's size where it does not.
std::size_t before_repetition(std::string_view answer, const Fitting& place) {
  const std::string_view rest = place.rest();
  for (std::size_t at = 0; at < answer.size(); ++at) {
    if (at > 0 && is_word_byte(answer[at - 1]) && is_word_byte(answer[at])) continue;
    if (is_space(answer[at]) || !comes_again(answer.substr(at), rest)) continue;
    // What the answer has opened, it closes itself.
    const LexedLine head = lex_line(place.language, answer.substr(0, at), place.line_before());
    if (place.in_text() || (head.open.empty() && head.quote == 0)) return at;
  }
  return answer.size();
}

// `xs.fil|(x => x > 1)`: the arguments stand there.
std::size_t before_own_brackets(std::string_view answer, const Fitting& place) {
  const std::string_view rest = place.rest(), line = place.line_before();
  if (rest.empty() || !is_any(rest.front(), "([{<") || line.empty() || !is_word_byte(line.back())) return answer.size();
  const std::size_t word = std::min<std::size_t>(
      static_cast<std::size_t>(std::find_if_not(answer.begin(), answer.end(), is_word_byte) - answer.begin()),
      answer.size());
  if (word == answer.size() || answer[word] != rest.front()) return answer.size();
  const std::string_view group = right_stripped(answer.substr(word));
  const std::size_t last = group.find_last_not_of(";, ");
  return last != kNone && is_any(group[last], ")]}>") ? word : answer.size();
}

// Where the answer closes more than what stands behind the cursor leaves it to close.
std::size_t before_foreign_closer(std::string_view answer, const Fitting& place) {
  const LexedLine lexed = lex_line(place.language, answer, place.line_before());
  const std::string open = lex_line(place.language, place.line_before()).open;
  const std::size_t given =
      lex_line(place.language, place.rest(), std::string(place.line_before()) + std::string(answer)).unmatched.size();
  const std::size_t allowed = open.size() - std::min(open.size(), given);
  for (std::size_t i = 0; i < lexed.unmatched.size(); ++i) {
    const std::size_t at = lexed.unmatched[i];
    if (i >= allowed || answer[at] != open[open.size() - 1 - i]) return at;
  }
  return answer.size();
}

// A statement does not end in the midst of a line that goes on with it, and what parts it from the rest stands there.
std::string_view without_end(std::string_view answer, std::string_view rest) {
  const std::size_t next = rest.find_first_not_of(" \t");
  if (next == kNone) return answer;
  const std::string_view following = rest.substr(next);
  const bool comment = following.starts_with("//") || following.starts_with("/*") || following.starts_with("--");
  const bool goes_on = !comment && is_any(rest[next], "+-*/%&|^<>=!?:.,;)]");
  const std::string_view kept = right_stripped(answer);
  const bool twice = !kept.empty() && kept.back() == rest[next] && is_any(rest[next], ";,:>|");
  return twice || (goes_on && kept.ends_with(';')) ? without_end(kept.substr(0, kept.size() - 1), rest) : answer;
}

// In the midst of a table's row, a cell.
std::size_t before_next_cell(std::string_view answer, const Fitting& place) {
  const bool row = place.language == nullptr && stripped(place.line_before()).starts_with('|');
  return row ? std::min(answer.find('|'), answer.size()) : answer.size();
}

std::size_t before_comment(std::string_view answer, const Fitting& place) {
  const std::size_t at = lex_line(place.language, answer, place.line_before()).comment;
  return std::min(at, answer.size());
}

// In a string that ends behind the cursor, in front of its quote.
std::size_t before_quote(std::string_view answer, char quote) {
  for (std::size_t i = 0; i < answer.size(); ++i) {
    if (answer[i] == '\\')
      ++i;
    else if (answer[i] == quote)
      return i;
  }
  return answer.size();
}

}  // namespace

std::string_view within_line(std::string_view answer, const Fitting& place) {
  const std::string_view rest = place.rest();
  if (is_blank(rest)) return answer;
  const bool comment = place.in_text() && place.hole->kind != syntax::HoleKind::string;
  const auto cut = [&](std::size_t at) {
    if (at < answer.size()) answer = answer.substr(0, at);
  };
  if (!is_closing(rest)) cut(std::min(answer.find('\n'), answer.size()));
  const LexedLine line = lex_line(place.language, place.line_before());
  const bool in_string = line.quote != 0 && !line.long_quote && is_any(line.quote, rest);
  if (in_string && !comment) cut(before_quote(answer, line.quote));
  if (!place.in_text() && !in_string) {
    cut(before_comment(answer, place));
    cut(before_foreign_closer(answer, place));
    cut(before_own_brackets(answer, place));
  }
  cut(before_next_cell(answer, place));
  if (stripped(rest).find_first_not_of(kClosers) != kNone || place.in_text()) cut(before_repetition(answer, place));
  return place.in_text() || in_string ? answer : without_end(answer, rest);
}

std::string without_trailing_blanks(std::string_view answer, const Fitting& place) {
  const bool prose = place.language == nullptr;  // two blanks at a line's end break it in Markdown
  std::string out;
  for (std::size_t at = 0; at < answer.size();) {
    const std::size_t end = std::min(answer.find('\n', at), answer.size());
    const std::string_view line = answer.substr(at, end - at);
    std::string_view kept = line.substr(0, line.find_last_not_of(" \t\r\f") + 1);  // npos + 1 is 0
    if (prose && !kept.empty() && line.substr(kept.size()) == "  " && end < answer.size()) kept = line;
    out += kept;
    if (end < answer.size()) out += '\n';
    at = end + 1;
  }
  const std::string_view rest = place.rest();
  const bool parts = !rest.empty() && !is_space(rest.front()) && !is_any(rest.front(), ")];,.:\r");
  out.resize(right_stripped(out).size());
  if (parts && !out.empty() && is_space(answer.back())) out += ' ';
  return out;
}

namespace {

// A string that begins on the cursor's line has to end there, by what stands behind the cursor or by the answer.
bool leaves_string_open(std::string_view answer, const Fitting& place) {
  if (place.hole != nullptr && place.in_text() && (place.hole->closer_given || place.hole->closer.size() != 1))
    return false;
  const LexedLine line = lex_line(place.language, place.line_before());
  if (line.quote == 0 || line.long_quote || is_any(line.quote, place.rest())) return false;
  const bool sure = line.quote == '"' && (place.language != nullptr || [&] {  // prose has quotes of its own
                      const std::string_view head = place.line_before();
                      const std::string_view before = right_stripped(head.substr(0, head.rfind(line.quote)));
                      return !before.empty() && is_any(before.back(), "=([,:{");
                    }());
  return sure && before_quote(first_line(answer), line.quote) == first_line(answer).size();
}

// What the tree tells of other languages: a line that is more wrong with the answer than with a name in its place, and
// closers of nothing that is open.
bool breaks_line(std::string_view answer, const Fitting& place) {
  const std::string head(place.line_before()), rest(place.rest());
  const LexedLine with = lex_line(nullptr, head + std::string(answer) + rest);
  if (!is_blank(rest)) return with.damage() > lex_line(nullptr, head + "x" + rest).damage();
  constexpr std::size_t kLooked = 4 * 1024;
  const std::string_view near = place.before.substr(place.before.size() - std::min(place.before.size(), kLooked));
  const std::string open = lex_line(nullptr, near).open;
  const auto answered = lex_line(nullptr, answer, place.line_before());
  const bool opens_string = with.quote != 0 && lex_line(nullptr, head).quote == 0;
  return opens_string || answered.unmatched.size() > open.size();
}

}  // namespace

std::string fitted(std::string_view answer, const Fitting& place) {
  std::string text = with_leading_blanks_of(answer, place);
  text = std::string(within_line(text, place));
  const std::string_view id = place.language != nullptr ? place.language->name : place.language_id;
  constexpr std::size_t kLooked = 32 * 1024;  // on each side
  const std::string_view above = place.before.substr(place.before.size() - std::min(place.before.size(), kLooked));
  const std::string around = std::string(above) + std::string(place.behind.substr(0, kLooked));
  if (const auto style = syntax::indent_style_at(around, above.size(), id, place.formatting))
    text = syntax::with_indentation_of(text, *style, place.line_before());
  if (leaves_string_open(text, place)) return {};
  if (place.language == nullptr && breaks_line(text, place)) return {};
  return without_trailing_blanks(text, place);
}

}  // namespace cinnabar::daemon
