#include "daemon/editing/alike_lines.h"

#include <algorithm>
#include <cctype>

namespace cinnabar::daemon {
namespace {

using Kind = CodeToken::Kind;

// What may differ between lines of the same shape.
bool is_variable(const CodeToken& token) {
  return token.kind == Kind::number || token.kind == Kind::string ||
         (token.kind == Kind::word && !is_reserved(token.text));
}

}  // namespace

bool is_comment_line(std::string_view line) {
  line = stripped(line);
  return line.starts_with("//") || line.starts_with('#') || line.starts_with("--") || line.starts_with('*') ||
         line.starts_with("/*");
}

std::vector<CodeLine> code_lines(const EditScene& scene) {
  std::vector<CodeLine> lines;
  for (std::size_t begin = 0; begin <= scene.text.size();) {
    const std::size_t end = std::min(scene.text.find('\n', begin), scene.text.size());
    lines.push_back({begin, end, scene.text.substr(begin, end - begin), {}, false});
    begin = end + 1;
  }
  const std::size_t last = scene.history.empty() ? scene.cursor : scene.history.back().begin;
  const auto here =
      static_cast<std::size_t>(std::upper_bound(lines.begin(), lines.end(), last,
                                                [](std::size_t at, const CodeLine& line) { return at < line.begin; }) -
                               lines.begin());
  const std::size_t first = here > kLines / 2 ? here - kLines / 2 : 0;
  lines.erase(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(std::min(first, lines.size())));
  if (lines.size() > kLines) lines.resize(kLines);
  for (CodeLine& line : lines) {
    if (line.text.size() > 400) continue;  // no person's
    line.tokens = code_tokens(line.text);
    line.edited = std::any_of(scene.history.begin(), scene.history.end(), [&](const PastEdit& past) {
      return past.begin <= line.end && past.end >= line.begin && !(past.end == line.begin && past.begin < line.begin);
    });
  }
  return lines;
}

LineChange::LineChange(std::string_view old_line, std::string_view new_line, std::size_t at)
    : before(old_line),
      after(new_line),
      begin(at),
      old_tokens(code_tokens(before)),
      new_tokens(code_tokens(after)),
      partner(align(old_tokens, new_tokens)) {
  Region open{0, 0, 0, 0};
  const auto close = [&](std::size_t old_at, std::size_t new_at) {
    open.old_end = old_at;
    open.new_end = new_at;
    if (open.old_end > open.old_begin || open.new_end > open.new_begin) regions.push_back(open);
  };
  for (std::size_t i = 0; i < old_tokens.size(); ++i) {
    if (partner[i] < 0) continue;
    close(i, static_cast<std::size_t>(partner[i]));
    open = {i + 1, 0, static_cast<std::size_t>(partner[i]) + 1, 0};
  }
  close(old_tokens.size(), new_tokens.size());
}

namespace {

// The words in which two string literals differ.
void add_inner_words(std::string_view one, std::string_view other, Renaming& renaming) {
  const auto left = code_tokens(one.substr(1, one.size() - 2)), right = code_tokens(other.substr(1, other.size() - 2));
  if (left.size() != right.size()) return;
  for (std::size_t i = 0; i < left.size(); ++i) {
    const bool words = left[i].kind == Kind::word && right[i].kind == Kind::word;
    const bool known = std::any_of(renaming.words.begin(), renaming.words.end(),
                                   [&](const auto& word) { return word.first == left[i].text; });
    if (words && !known && left[i].text != right[i].text) renaming.words.emplace_back(left[i].text, right[i].text);
  }
}

}  // namespace

std::optional<Renaming> renaming_between(const std::vector<CodeToken>& one, const std::vector<CodeToken>& other,
                                         std::size_t least_marks) {
  if (one.size() != other.size() || one.empty()) return std::nullopt;
  Renaming renaming;
  std::size_t same = 0, words = 0;
  for (std::size_t i = 0; i < one.size(); ++i) {
    if (one[i].text == other[i].text) {
      same += one[i].kind == Kind::word ? 1 : 0;
      words += one[i].kind == Kind::word ? 1 : 0;
      continue;
    }
    if (!is_variable(one[i]) || !is_variable(other[i]) || (one[i].kind == Kind::word) != (other[i].kind == Kind::word))
      return std::nullopt;
    words += one[i].kind == Kind::word ? 1 : 0;
    if (one[i].kind == Kind::string && other[i].kind == Kind::string)
      add_inner_words(one[i].text, other[i].text, renaming);
    const auto known = std::find_if(renaming.words.begin(), renaming.words.end(),
                                    [&](const auto& word) { return word.first == one[i].text; });
    if (known == renaming.words.end())
      renaming.words.emplace_back(one[i].text, other[i].text);
    else if (known->second != other[i].text)
      return std::nullopt;
  }
  const std::size_t marks = static_cast<std::size_t>(
      std::count_if(one.begin(), one.end(), [](const CodeToken& token) { return token.kind == Kind::mark; }));
  if (same == 0 && marks < least_marks) return std::nullopt;
  return renaming;
}

std::string renamed(std::string_view line, const Renaming& renaming) {
  std::string out;
  std::size_t copied = 0;
  const auto replace = [&](std::string_view text) {
    for (const auto& [from, to] : renaming.words) {
      if (text == from) return to;
    }
    std::string changed(text);
    for (const auto& [from, to] : renaming.words) {
      if (from.size() >= 3 && std::isalpha(static_cast<unsigned char>(from[0])) != 0 &&
          std::isalpha(static_cast<unsigned char>(to[0])) != 0)
        changed = with_word_replaced(changed, from, to);
    }
    return changed;
  };
  for (const CodeToken& token : code_tokens(line)) {
    if (token.kind == Kind::mark) continue;
    out += line.substr(copied, token.begin - copied);
    out += replace(token.text);
    copied = token.end();
  }
  out += line.substr(copied);
  return out;
}

}  // namespace cinnabar::daemon
