#include "daemon/syntax/indentation.h"

#include <algorithm>
#include <numeric>

#include "daemon/syntax/language.h"

namespace cinnabar::daemon::syntax {
namespace {

// Whether the line at `begin` says what is indented with here. One blank is a comment's or an alignment's.
std::optional<bool> tabs_of_line(std::string_view text, std::size_t begin) {
  const std::string_view indent = indentation_of(text.substr(begin, line_end(text, begin) - begin));
  if (indent.find('\t') != std::string_view::npos) return true;
  return indent.size() >= 2 ? std::optional(false) : std::nullopt;
}

bool opens_level(std::string_view line) {
  line = stripped(line);
  if (line.empty()) return false;
  if (std::string_view(":{([").find(line.back()) != std::string_view::npos || line == "else") return true;
  constexpr std::string_view kHeaders[] = {"if", "for", "while", "else"};
  return line.back() == ')' && contains(kHeaders, first_word(line));
}

// Blanks of a level of the answer: as many as all its lines allow, and such that its second line lies where the first
// one, which is `depth` levels deep, wants it.
std::size_t level_width(std::string_view answer, std::size_t depth) {
  std::size_t divisor = 0, second = 0;
  for (std::size_t at = answer.find('\n'); at != std::string_view::npos; at = answer.find('\n', at + 1)) {
    const std::string_view line = answer.substr(at + 1, line_end(answer, at + 1) - at - 1);
    const std::size_t width = indentation_of(line).size();
    if (is_blank(line) || width < 2 || line.substr(width).starts_with("*")) continue;  // a comment's own line
    divisor = std::gcd(divisor, width);
    if (second == 0) second = width;
  }
  if (divisor < 2) return 4;
  const std::size_t wanted = depth + (opens_level(answer.substr(0, answer.find('\n'))) ? 1 : 0);
  for (const std::size_t width : {std::size_t{4}, std::size_t{2}, std::size_t{8}, std::size_t{3}}) {
    if (depth > 0 && divisor % width == 0 && second == wanted * width) return width;
  }
  return divisor % 4 == 0 ? 4 : divisor % 2 == 0 ? 2 : divisor;
}

}  // namespace

std::optional<IndentStyle> indent_style_near(std::string_view text, std::size_t offset) {
  constexpr int kLines = 400;  // in each direction
  offset = std::min(offset, text.size());
  const std::size_t own = line_begin(text, offset);
  // Of its own line only what is in front of the cursor: the rest is not there to be typed.
  std::optional<bool> tabs = tabs_of_line(text.substr(0, offset), own);
  std::size_t above = own, below = own;
  for (int i = 0; i < kLines && !tabs; ++i) {
    if (above > 0) tabs = tabs_of_line(text, above = line_begin(text, above - 1));
    const std::size_t newline = text.find('\n', below);
    if (newline == std::string_view::npos && above == 0) break;
    if (newline != std::string_view::npos) below = newline + 1;
    if (!tabs && newline != std::string_view::npos) tabs = tabs_of_line(text, below);
  }
  if (!tabs) return std::nullopt;
  IndentStyle style = indent_style_of(text);
  if (style.tabs == *tabs) return style;
  style.tabs = *tabs;
  style.width = *tabs ? 8 : 4;
  return style;
}

std::optional<IndentStyle> indent_style_at(std::string_view text, std::size_t offset, std::string_view id,
                                           const std::optional<IndentStyle>& formatting) {
  if (auto seen = indent_style_near(text, offset)) return seen;
  if (formatting) return formatting;
  return indents_with_tabs(id) ? std::optional(IndentStyle{true, 8}) : std::nullopt;
}

std::string with_indentation_of(std::string_view answer, const IndentStyle& style, std::string_view line_before) {
  const bool own_line = is_blank(line_before);
  const std::size_t depth =
      own_line ? static_cast<std::size_t>(std::count(line_before.begin(), line_before.end(), '\t')) : 0;
  const std::size_t width = level_width(answer, depth);
  std::string out;
  for (std::size_t at = 0; at <= answer.size();) {
    const std::size_t end = std::min(answer.find('\n', at), answer.size());
    const std::string_view line = answer.substr(at, end - at);
    const std::string_view indent = indentation_of(line);
    const bool stands_behind = at == 0 && !(own_line && line_before.empty());  // text of the document
    const bool tabs = indent.find('\t') != std::string_view::npos;
    const bool keep = stands_behind || indent.empty();
    if (!keep && style.tabs && !tabs && indent.size() >= std::min<std::size_t>(width, 2)) {
      out.append(indent.size() / width, '\t').append(indent.size() % width, ' ');
    } else if (!keep && !style.tabs && tabs) {
      for (const char c : indent) out += c == '\t' ? style.unit() : std::string(1, c);
    } else {
      out += indent;
    }
    out += line.substr(indent.size());
    if (end < answer.size()) out += '\n';
    at = end + 1;
  }
  return out;
}

}  // namespace cinnabar::daemon::syntax
