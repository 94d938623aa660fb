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

bool is_comment(std::string_view line) {
  line = stripped(line);
  return line.starts_with("//") || line.starts_with('#') || line.starts_with("--") || line.starts_with('*') ||
         line.starts_with("/*");
}

// Blanks right before the token.
std::size_t blank_before(std::string_view line, const CodeToken& token) {
  std::size_t blanks = 0;
  while (blanks < token.begin && (line[token.begin - 1 - blanks] == ' ' || line[token.begin - 1 - blanks] == '\t'))
    ++blanks;
  return blanks;
}

}  // namespace

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

std::optional<Renaming> renaming_between(const std::vector<CodeToken>& one, const std::vector<CodeToken>& other) {
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
  if (same == 0 && marks < 2) return std::nullopt;
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

namespace {

// Whether what was taken away there with this token stands in what was put in its place: a string's words in a template.
bool comes_again(const LineChange& change, const Region& region, const CodeToken& token) {
  std::string_view text = token.text;
  if (token.kind == Kind::string) text = stripped(text.substr(1, text.size() - 2));
  if (region.new_end == region.new_begin || text.empty()) return false;
  const std::size_t begin = change.new_tokens[region.new_begin].begin,
                    end = change.new_tokens[region.new_end - 1].end();
  return std::string_view(change.after).substr(begin, end - begin).find(text) != std::string_view::npos;
}

// `line`, which differs from the old line in names and values, changed as that was; nothing where what was taken away
// there is not here.
std::optional<std::string> changed_alike(const LineChange& change, const CodeLine& line, const Renaming& renaming) {
  for (const Region& region : change.regions) {
    for (std::size_t i = region.old_begin; i < region.old_end; ++i) {
      if (change.old_tokens[i].text != line.tokens[i].text && !comes_again(change, region, change.old_tokens[i]))
        return std::nullopt;
    }
  }
  std::vector<int> origin(change.new_tokens.size(), -1);
  for (std::size_t i = 0; i < change.partner.size(); ++i) {
    if (change.partner[i] >= 0) origin[static_cast<std::size_t>(change.partner[i])] = static_cast<int>(i);
  }
  std::string out(line.text.substr(0, line.tokens.front().begin));
  for (std::size_t i = 0; i < change.new_tokens.size(); ++i) {
    const CodeToken& token = change.new_tokens[i];
    if (i > 0) {  // blanks as they are here, where the same two tokens stand side by side
      const bool stay = origin[i] > 0 && origin[i - 1] == origin[i] - 1;
      const std::size_t blanks = stay ? blank_before(line.text, line.tokens[static_cast<std::size_t>(origin[i])])
                                      : blank_before(change.after, token);
      out.append(blanks, ' ');
    }
    if (origin[i] >= 0)
      out += line.tokens[static_cast<std::size_t>(origin[i])].text;
    else
      out += renamed(token.text, renaming);
  }
  return out;
}

}  // namespace

void propose_same_shape(const std::vector<CodeLine>& lines, const LineChange& change,
                        std::vector<EditCandidate>& found) {
  const std::size_t kept = static_cast<std::size_t>(
      std::count_if(change.partner.begin(), change.partner.end(), [](int partner) { return partner >= 0; }));
  if (change.old_tokens.size() < 3 || kept * 3 < change.old_tokens.size() || is_comment(change.after)) return;
  // A value that became another one says nothing of other lines.
  const bool only_value = std::all_of(change.regions.begin(), change.regions.end(), [&](const Region& region) {
    return region.old_end == region.old_begin + 1 && region.new_end == region.new_begin + 1 &&
           change.old_tokens[region.old_begin].kind != Kind::mark &&
           (change.old_tokens[region.old_begin].kind != Kind::word ||
            change.new_tokens[region.new_begin].kind != Kind::word);
  });
  const bool only_names = std::all_of(change.regions.begin(), change.regions.end(), [&](const Region& region) {
    return region.old_end == region.old_begin + 1 && region.new_end == region.new_begin + 1 &&
           declares_name(change.old_tokens, region.old_begin);
  });
  if (only_value || only_names) return;  // the latter is a rename
  const auto here =
      std::find_if(lines.begin(), lines.end(), [&](const CodeLine& line) { return line.end >= change.begin; });
  for (auto line = lines.begin(); line != lines.end(); ++line) {
    if (line->edited || line->tokens.size() != change.old_tokens.size()) continue;
    const auto renaming = renaming_between(change.old_tokens, line->tokens);
    if (!renaming) continue;
    const auto text = changed_alike(change, *line, *renaming);
    if (!text || *text == line->text) continue;
    const bool is_fellow = indentation_of(line->text) == indentation_of(change.after);
    const auto apart = std::abs(line - here);
    const float near = apart <= 2 ? 0.3f : apart <= 12 ? 0.15f : 0.0f;
    found.push_back({line->begin, line->end, *text, EditPattern::same_shape, 0.4f + near + (is_fellow ? 0.1f : 0.0f)});
  }
}

namespace {

// The one phrase that a line's change replaced: regions with no more than a mark between them are one.
std::optional<Region> replaced_phrase(const LineChange& change) {
  if (change.regions.empty()) return std::nullopt;
  Region all = change.regions.front();
  for (const Region& region : std::span(change.regions).subspan(1)) {
    const bool near = region.old_begin == all.old_end + 1 && change.old_tokens[all.old_end].kind == Kind::mark;
    if (!near) return std::nullopt;
    all.old_end = region.old_end;
    all.new_end = region.new_end;
  }
  return all;
}

}  // namespace

// Words put in front of a line ("readonly", "static"), put in front of those beside it that go on alike.
void propose_leading_words(const std::vector<CodeLine>& lines, const LineChange& change,
                           std::vector<EditCandidate>& found) {
  if (change.regions.size() != 1 || change.old_tokens.size() < 2) return;
  const Region& region = change.regions.front();
  if (region.old_begin != 0 || region.old_end != 0 || region.new_begin != 0) return;
  const auto words = std::span(change.new_tokens).first(region.new_end);
  const auto is_word = [](const CodeToken& token) { return token.kind == Kind::word; };
  if (!std::all_of(words.begin(), words.end(), is_word) || !is_word(change.old_tokens[0])) return;
  const std::string text =
      change.after.substr(words.front().begin, change.new_tokens[region.new_end].begin - words.front().begin);
  const auto here =
      std::find_if(lines.begin(), lines.end(), [&](const CodeLine& line) { return line.end >= change.begin; });
  const auto is_fellow = [&](const CodeLine& line) {
    return line.tokens.size() > 1 && indentation_of(line.text) == indentation_of(change.after);
  };
  const auto propose = [&](const CodeLine& line) {
    const bool alike = is_word(line.tokens[0]) && line.tokens[0].text != words.front().text &&
                       line.tokens[1].text == change.old_tokens[1].text &&
                       line.tokens.back().text == change.old_tokens.back().text;
    if (alike && !line.edited) {
      const std::size_t at = line.begin + line.tokens[0].begin;
      found.push_back({at, at, text, EditPattern::same_shape, 0.6f});
    }
  };
  if (here == lines.end()) return;
  for (auto line = here + 1; line != lines.end() && is_fellow(*line); ++line) propose(*line);
  for (auto line = here; line != lines.begin() && is_fellow(*(line - 1)); --line) propose(*(line - 1));
}

// What was replaced in a line, replaced in the lines near it that begin alike and have it too.
void propose_phrases(const std::vector<CodeLine>& lines, const LineChange& change, std::vector<EditCandidate>& found) {
  const auto region = replaced_phrase(change);
  if (!region || is_comment(change.after)) return;
  const std::size_t length = region->old_end - region->old_begin;
  if (length == 0 || region->new_end == region->new_begin) return;
  const auto phrase = std::span(change.old_tokens).subspan(region->old_begin, length);
  const bool keyword = length == 1 && phrase[0].kind == Kind::word && is_reserved(phrase[0].text);
  const bool several = length >= 2 && std::any_of(phrase.begin(), phrase.end(),
                                                  [](const CodeToken& token) { return token.kind == Kind::word; });
  if (!keyword && !several) return;
  const std::size_t begin = change.new_tokens[region->new_begin].begin;
  const std::string text = change.after.substr(begin, change.new_tokens[region->new_end - 1].end() - begin);
  const auto here =
      std::find_if(lines.begin(), lines.end(), [&](const CodeLine& line) { return line.end >= change.begin; });
  for (auto line = lines.begin(); line != lines.end(); ++line) {
    if (line->edited || line->tokens.size() < length || std::abs(line - here) > 12 ||
        line->tokens.front().text != change.old_tokens.front().text ||
        indentation_of(line->text) != indentation_of(change.before))
      continue;
    for (std::size_t i = 0; i + length <= line->tokens.size(); ++i) {
      const bool same = std::equal(phrase.begin(), phrase.end(), line->tokens.begin() + static_cast<std::ptrdiff_t>(i),
                                   [](const CodeToken& a, const CodeToken& b) { return a.text == b.text; });
      if (!same || (keyword && i != region->old_begin)) continue;
      found.push_back({line->begin + line->tokens[i].begin, line->begin + line->tokens[i + length - 1].end(), text,
                       EditPattern::same_shape, 0.6f});
      break;
    }
  }
}

namespace {

// The line beside the added one that it was made after, and how their names differ.
std::optional<Renaming> made_after(const std::vector<CodeLine>& lines, const std::vector<CodeToken>& added,
                                   std::size_t begin, std::size_t end) {
  const auto first =
      std::find_if(lines.begin(), lines.end(), [&](const CodeLine& line) { return line.begin >= begin; });
  const auto after = std::find_if(first, lines.end(), [&](const CodeLine& line) { return line.begin > end; });
  const auto try_line = [&](const CodeLine& line) -> std::optional<Renaming> {
    auto renaming = renaming_between(line.tokens, added);
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
  return std::any_of(line.tokens.begin(), line.tokens.end(), [&](const CodeToken& token) {
    const auto& [from, to] = renaming.words.front();
    return token.kind != Kind::mark && from.size() > 1 &&
           (token.text == from || (token.kind == Kind::word && with_word_replaced(token.text, from, to) != token.text));
  });
}

// A list's item that names the older word, and the same item again with the newer one after it: "name, age" becomes
// "name, age, email". Nothing where the word is no item of a list in brackets.
std::optional<EditCandidate> item_after(const CodeLine& line, const Renaming& renaming) {
  const auto& tokens = line.tokens;
  int depth = 0;
  std::size_t item = 0;
  bool in_list = false;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const std::string_view text = tokens[i].text;
    const bool opens = text == "(" || text == "[" || text == "{", closes = text == ")" || text == "]" || text == "}";
    if (opens) {
      ++depth;
      in_list = true;
      item = i + 1;
    } else if (in_list && (text == "," || closes)) {
      const bool lists = text == "," || (item > 0 && tokens[item - 1].text == ",");
      const auto is_value = [](const CodeToken& token) {
        return token.kind == Kind::number || token.kind == Kind::string;
      };
      const bool values = std::any_of(tokens.begin() + static_cast<std::ptrdiff_t>(std::min(item, i)),
                                      tokens.begin() + static_cast<std::ptrdiff_t>(i), is_value);
      if (lists && !values && i > item && i - item <= 4) {
        const std::string_view whole = line.text.substr(tokens[item].begin, tokens[i - 1].end() - tokens[item].begin);
        const std::string other = renamed(whole, renaming);
        if (other != whole && line.text.find(other) == std::string_view::npos) {
          const std::size_t at = line.begin + tokens[i - 1].end();
          return EditCandidate{at, at, ", " + other, EditPattern::insertion, 0.55f};
        }
      }
      item = i + 1;
      if (closes) in_list = --depth > 0;
    }
  }
  return std::nullopt;
}

}  // namespace

void propose_insertions(const std::vector<CodeLine>& lines, const LineEdit& added, std::vector<EditCandidate>& found) {
  if (added.after.size() != 1 || is_comment(added.after.front())) return;
  const auto tokens = code_tokens(added.after.front());
  const auto renaming = made_after(lines, tokens, added.begin, added.end);
  if (!renaming || renaming->words.front().first.size() < 2) return;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const CodeLine& line = lines[i];
    const bool beside = line.end + 200 >= added.begin && line.begin <= added.end + 200 &&
                        indentation_of(line.text) == indentation_of(added.after.front()) &&
                        renaming_between(line.tokens, tokens).has_value();
    if (line.edited || beside || is_comment(line.text) || !names_one_of(line, *renaming)) continue;
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
