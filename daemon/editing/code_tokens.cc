#include "daemon/editing/code_tokens.h"

#include <algorithm>
#include <array>

namespace cinnabar::daemon {
namespace {

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool begins_word(char c) {
  return is_lower(c) || is_upper(c) || c == '_' || c == '$' || static_cast<unsigned char>(c) >= 0x80;
}
bool in_word(char c) { return begins_word(c) || is_digit(c); }

char to_lower(char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; }
char to_upper(char c) { return is_lower(c) ? static_cast<char>(c - 'a' + 'A') : c; }

std::string mapped(std::string_view text, char (*map)(char)) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), map);
  return out;
}

// The end of the string literal that begins at `at`; `at` where it does not end on its line.
std::size_t string_end(std::string_view text, std::size_t at) {
  for (std::size_t i = at + 1; i < text.size() && text[i] != '\n'; ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == text[at]) {
      return i + 1;
    }
  }
  return at;
}

}  // namespace

std::vector<CodeToken> code_tokens(std::string_view text) {
  std::vector<CodeToken> tokens;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
      ++at;
      continue;
    }
    std::size_t end = at + 1;
    auto kind = CodeToken::Kind::mark;
    const bool after_word = at > 0 && in_word(text[at - 1]);
    if (c == '-' && !after_word && at + 2 < text.size() && text[at + 1] == '-' && begins_word(text[at + 2])) {
      kind = CodeToken::Kind::word;  // a custom property of CSS, an option of a command line
      while (end < text.size() && (in_word(text[end]) || text[end] == '-')) ++end;
    } else if (begins_word(c)) {
      kind = CodeToken::Kind::word;
      while (end < text.size() && in_word(text[end])) ++end;
    } else if (is_digit(c)) {
      kind = CodeToken::Kind::number;
      while (end < text.size() &&
             (in_word(text[end]) || (text[end] == '.' && end + 1 < text.size() && is_digit(text[end + 1]))))
        ++end;
    } else if (c == '"' || c == '\'' || c == '`') {
      const std::size_t closed = string_end(text, at);
      if (closed > at) {
        kind = CodeToken::Kind::string;
        end = closed;
      }
    }
    tokens.push_back({kind, text.substr(at, end - at), at});
    at = end;
  }
  return tokens;
}

bool is_reserved(std::string_view word) {
  static constexpr std::array kReserved = {
      "abstract",  "and",     "as",     "async",     "await",      "bool",     "break",   "case",      "catch",
      "char",      "class",   "const",  "constexpr", "continue",   "def",      "default", "defer",     "del",
      "do",        "double",  "elif",   "else",      "end",        "enum",     "except",  "export",    "extends",
      "false",     "False",   "final",  "finally",   "float",      "fn",       "for",     "from",      "func",
      "function",  "go",      "if",     "impl",      "implements", "import",   "in",      "int",       "interface",
      "is",        "lambda",  "let",    "long",      "match",      "module",   "mut",     "namespace", "new",
      "nil",       "None",    "not",    "null",      "of",         "or",       "package", "pass",      "private",
      "protected", "pub",     "public", "raise",     "range",      "require",  "return",  "self",      "static",
      "string",    "struct",  "super",  "switch",    "template",   "this",     "throw",   "trait",     "true",
      "True",      "try",     "type",   "typeof",    "undefined",  "unsigned", "use",     "using",     "val",
      "var",       "virtual", "void",   "where",     "while",      "with",     "yield"};
  return std::find(kReserved.begin(), kReserved.end(), word) != kReserved.end();
}

std::vector<int> align(std::span<const CodeToken> one, std::span<const CodeToken> other) {
  std::vector<int> partner(one.size(), -1);
  std::size_t first = 0, last = 0;  // equal at both ends: the usual edit is small
  while (first < std::min(one.size(), other.size()) && one[first].text == other[first].text) {
    partner[first] = static_cast<int>(first);
    ++first;
  }
  while (last < std::min(one.size(), other.size()) - first &&
         one[one.size() - 1 - last].text == other[other.size() - 1 - last].text) {
    partner[one.size() - 1 - last] = static_cast<int>(other.size() - 1 - last);
    ++last;
  }
  const std::size_t n = one.size() - first - last, m = other.size() - first - last;
  if (n > kAlignedTokens || m > kAlignedTokens) return partner;
  std::vector<std::uint16_t> best((n + 1) * (m + 1), 0);
  const auto at = [&](std::size_t i, std::size_t j) -> std::uint16_t& { return best[i * (m + 1) + j]; };
  const auto equal = [&](std::size_t i, std::size_t j) { return one[first + i].text == other[first + j].text; };
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t j = m; j-- > 0;)
      at(i, j) = equal(i, j) ? static_cast<std::uint16_t>(at(i + 1, j + 1) + 1) : std::max(at(i + 1, j), at(i, j + 1));
  }
  for (std::size_t i = 0, j = 0; i < n && j < m;) {
    if (equal(i, j)) {
      partner[first + i++] = static_cast<int>(first + j++);
    } else if (at(i + 1, j) >= at(i, j + 1)) {
      ++i;
    } else {
      ++j;
    }
  }
  return partner;
}

std::string with_word_replaced(std::string_view word, std::string_view from, std::string_view to) {
  if (from.empty() || to.empty()) return std::string(word);
  if (word == from) return std::string(to);
  const auto capitalised = [](std::string_view text) {
    std::string out(text);
    out[0] = to_upper(out[0]);
    return out;
  };
  const std::string forms[][2] = {{std::string(from), std::string(to)},
                                  {capitalised(from), capitalised(to)},
                                  {mapped(from, to_lower), mapped(to, to_lower)},
                                  {mapped(from, to_upper), mapped(to, to_upper)}};
  for (const auto& [written, instead] : forms) {
    for (std::size_t at = word.find(written); at != std::string_view::npos; at = word.find(written, at + 1)) {
      const std::size_t end = at + written.size();
      const bool begins = at == 0 || !in_word(word[at - 1]) || word[at - 1] == '_' || is_digit(word[at - 1]) ||
                          (is_upper(written[0]) && !is_upper(word[at - 1]));
      const bool ends = end == word.size() || !in_word(word[end]) || word[end] == '_' || is_digit(word[end]) ||
                        is_upper(word[end]) ||
                        (word[end] == 's' && (end + 1 == word.size() || !is_lower(word[end + 1])));
      if (begins && ends) return std::string(word.substr(0, at)) + instead + std::string(word.substr(end));
    }
  }
  return std::string(word);
}

}  // namespace cinnabar::daemon
