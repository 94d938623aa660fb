// The pattern that follows an added line: the line beside it that it was made after, and where that one has its fellows.
#include <algorithm>
#include <array>

#include "daemon/editing/alike_lines.h"

namespace cinnabar::daemon {
namespace {

using Kind = CodeToken::Kind;

// The line beside the added one that it was made after, and how their names differ.
std::optional<Renaming> made_after(const std::vector<CodeLine>& lines, const std::vector<CodeToken>& added,
                                   std::size_t begin, std::size_t end) {
  const auto first =
      std::find_if(lines.begin(), lines.end(), [&](const CodeLine& line) { return line.begin >= begin; });
  const auto after = std::find_if(first, lines.end(), [&](const CodeLine& line) { return line.begin > end; });
  const auto try_line = [&](const CodeLine& line) -> std::optional<Renaming> {
    auto renaming = renaming_between(line.tokens, added, 1);  // side by side they need less in common
    if (renaming && renaming->words.empty()) return std::nullopt;
    return renaming;
  };
  for (std::ptrdiff_t away = 1; away <= 3; ++away) {
    if (first - lines.begin() >= away) {
      if (auto renaming = try_line(*(first - away))) return renaming;
    }
    if (lines.end() - after >= away) {
      if (auto renaming = try_line(*(after + away - 1))) return renaming;
    }
  }
  return std::nullopt;
}

bool names_one_of(const CodeLine& line, const Renaming& renaming) {
  const auto& [from, to] = renaming.words.front();
  return from.size() > 1 && std::any_of(line.tokens.begin(), line.tokens.end(), [&](const CodeToken& token) {
           return token.kind != Kind::mark &&
                  (token.text == from || with_word_replaced(token.text, from, to) != token.text);
         });
}

// The item of tokens [begin, end) again, with the newer words and a comma before it; nothing where it names none of them.
std::optional<EditCandidate> item_again(const CodeLine& line, std::size_t begin, std::size_t end,
                                        const Renaming& renaming) {
  constexpr std::size_t kLongest = 4;  // tokens of an item
  if (end <= begin || end - begin > kLongest) return std::nullopt;
  const auto item = std::span(line.tokens).subspan(begin, end - begin);
  const auto is_value = [](const CodeToken& token) { return token.kind == Kind::number || token.kind == Kind::string; };
  if (std::any_of(item.begin(), item.end(), is_value)) return std::nullopt;
  const std::string_view whole = line.text.substr(item.front().begin, item.back().end() - item.front().begin);
  const std::string other = renamed(whole, renaming);
  if (other == whole || line.text.find(other) != std::string_view::npos) return std::nullopt;
  const std::size_t at = line.begin + item.back().end();
  return EditCandidate{at, at, ", " + other, EditPattern::insertion, 0.55f};
}

// A list's item that names the older word, and the same item again with the newer one after it: "name, age" becomes
// "name, age, email". Lists stand in brackets, or make up a line after its first word ("attr_reader :name, :age").
std::optional<EditCandidate> item_after(const CodeLine& line, const Renaming& renaming) {
  const auto& tokens = line.tokens;
  int depth = 0;
  std::size_t item = 1;
  bool several = false;  // items in the list under way
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const std::string_view text = tokens[i].text;
    const bool opens = text == "(" || text == "[" || text == "{", closes = text == ")" || text == "]" || text == "}";
    if (!opens && !closes && text != ",") continue;
    if (!opens && (text == "," || several)) {
      if (auto found = item_again(line, item, i, renaming)) return found;
    }
    several = text == ",";
    item = i + 1;
    depth += opens ? 1 : closes ? -1 : 0;
  }
  return several && depth == 0 ? item_again(line, item, tokens.size(), renaming) : std::nullopt;
}

}  // namespace

void propose_insertions(const std::vector<CodeLine>& lines, const LineEdit& added, std::vector<EditCandidate>& found) {
  if (added.after.size() != 1 || is_comment_line(added.after.front())) return;
  const auto tokens = code_tokens(added.after.front());
  const auto renaming = made_after(lines, tokens, added.begin, added.end);
  if (!renaming || renaming->words.front().first.size() < 2) return;
  constexpr std::size_t kBeside = 4;  // lines: its own list goes no further
  const auto here = static_cast<std::size_t>(
      std::find_if(lines.begin(), lines.end(), [&](const CodeLine& line) { return line.end >= added.begin; }) -
      lines.begin());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const CodeLine& line = lines[i];
    const bool beside = (i < here ? here - i : i - here) <= kBeside &&
                        indentation_of(line.text) == indentation_of(added.after.front()) &&
                        renaming_between(line.tokens, tokens, 1).has_value();
    if (line.edited || beside || is_comment_line(line.text) || !names_one_of(line, *renaming)) continue;
    if (auto item = item_after(line, *renaming)) {
      found.push_back(*item);
      continue;
    }
    const std::string other = renamed(line.text, *renaming);
    const auto is_there = [&](const CodeLine& any) { return stripped(any.text) == stripped(other); };
    if (other == line.text || std::any_of(lines.begin(), lines.end(), is_there)) continue;
    const auto is_fellow = [&](std::size_t at) {
      return at < lines.size() && at != i && renaming_between(line.tokens, lines[at].tokens).has_value();
    };
    const bool fellows = is_fellow(i + 1) || is_fellow(i - 1);
    const bool ends_statement =
        line.tokens.back().text != "{" && line.tokens.back().text != ":" && line.tokens.back().text != "(";
    if (!ends_statement || !fellows) continue;
    found.push_back({line.end, line.end, "\n" + other, EditPattern::insertion, 0.6f});
  }
}

}  // namespace cinnabar::daemon
