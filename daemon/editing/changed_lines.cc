// The patterns that follow a changed line: lines of its shape, lines with the phrase that was replaced, lines beside it that
// go on as it does after words were put in front.
#include <algorithm>
#include <array>

#include "daemon/editing/alike_lines.h"

namespace cinnabar::daemon {
namespace {

using Kind = CodeToken::Kind;

// Blanks right before the token.
std::size_t blank_before(std::string_view line, const CodeToken& token) {
  std::size_t blanks = 0;
  while (blanks < token.begin && (line[token.begin - 1 - blanks] == ' ' || line[token.begin - 1 - blanks] == '\t'))
    ++blanks;
  return blanks;
}

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

namespace {

bool changes_operators(const LineChange& change, const Region& region) {
  const auto is_operator = [](const CodeToken& token) {
    return std::string_view("=<>!+-*/%&|^~").find(token.text) != std::string_view::npos;
  };
  const auto taken = std::span(change.old_tokens).subspan(region.old_begin, region.old_end - region.old_begin);
  const auto put = std::span(change.new_tokens).subspan(region.new_begin, region.new_end - region.new_begin);
  return std::all_of(taken.begin(), taken.end(), is_operator) && std::all_of(put.begin(), put.end(), is_operator);
}

}  // namespace

void propose_same_shape(const std::vector<CodeLine>& lines, const LineChange& change,
                        std::vector<EditCandidate>& found) {
  const std::size_t kept = static_cast<std::size_t>(
      std::count_if(change.partner.begin(), change.partner.end(), [](int partner) { return partner >= 0; }));
  if (change.old_tokens.size() < 3 || kept * 3 < change.old_tokens.size() || is_comment_line(change.after)) return;
  const auto is_one_token = [](const Region& region) {
    return region.old_end == region.old_begin + 1 && region.new_end == region.new_begin + 1;
  };
  const auto every_region = [&](const auto& is_such) {
    return std::all_of(change.regions.begin(), change.regions.end(), is_such);
  };
  // A value or an operator that became another one says nothing of other lines, unless these are long and have the same
  // string, as attributes in markup do.
  const bool only_values = every_region([&](const Region& region) {
    if (!is_one_token(region)) return false;
    const CodeToken &from = change.old_tokens[region.old_begin], &to = change.new_tokens[region.new_begin];
    return from.kind != Kind::mark && (from.kind != Kind::word || to.kind != Kind::word);
  });
  const bool only_strings = every_region([&](const Region& region) {
    return is_one_token(region) && change.old_tokens[region.old_begin].kind == Kind::string &&
           change.new_tokens[region.new_begin].kind == Kind::string;
  });
  constexpr std::size_t kLong = 8;  // tokens
  if (only_values && !(only_strings && change.old_tokens.size() >= kLong)) return;
  if (every_region([&](const Region& region) { return changes_operators(change, region); })) return;
  // A declared name that became another one is a rename.
  if (every_region([&](const Region& r) { return is_one_token(r) && declares_name(change.old_tokens, r.old_begin); }))
    return;
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
    const float strength = only_values ? 0.45f : 0.4f + near + (is_fellow ? 0.1f : 0.0f);
    found.push_back({line->begin, line->end, *text, EditPattern::same_shape, strength});
  }
}

namespace {

// The unchanged lines near the changed one that begin with the same token, as far in.
std::vector<const CodeLine*> alike_near(const std::vector<CodeLine>& lines, const LineChange& change) {
  constexpr std::ptrdiff_t kNear = 12;  // lines
  std::vector<const CodeLine*> found;
  const auto here =
      std::find_if(lines.begin(), lines.end(), [&](const CodeLine& line) { return line.end >= change.begin; });
  for (auto line = lines.begin(); line != lines.end(); ++line) {
    if (!line->edited && !line->tokens.empty() && std::abs(line - here) <= kNear &&
        line->tokens.front().text == change.old_tokens.front().text &&
        indentation_of(line->text) == indentation_of(change.before))
      found.push_back(&*line);
  }
  return found;
}

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

namespace {

// Marks or a reserved word put between two tokens of a line ("user.name", "user?.name"), put between the same two in the
// lines near it that begin alike.
void propose_between(const std::vector<CodeLine>& lines, const LineChange& change, const Region& region,
                     std::vector<EditCandidate>& found) {
  if (region.old_begin == 0 || region.old_begin == change.old_tokens.size()) return;
  const auto put = std::span(change.new_tokens).subspan(region.new_begin, region.new_end - region.new_begin);
  const bool plain = std::all_of(put.begin(), put.end(), [](const CodeToken& token) {
    return token.kind == Kind::mark || (token.kind == Kind::word && is_reserved(token.text));
  });
  const CodeToken &before = change.old_tokens[region.old_begin - 1], &after = change.old_tokens[region.old_begin];
  if (!plain || before.kind != Kind::word || changes_operators(change, region)) return;
  const std::size_t begin = change.new_tokens[region.new_begin - 1].end();
  const std::string text = change.after.substr(begin, change.new_tokens[region.new_end].begin - begin);
  for (const CodeLine* line : alike_near(lines, change)) {
    for (std::size_t i = 1; i < line->tokens.size(); ++i) {
      if (line->tokens[i - 1].text != before.text || line->tokens[i].text != after.text) continue;
      found.push_back({line->begin + line->tokens[i - 1].end(), line->begin + line->tokens[i].begin, text,
                       EditPattern::same_shape, 0.6f});
      break;
    }
  }
}

}  // namespace

// What was replaced in a line, replaced in the lines near it that begin alike and have it too.
void propose_phrases(const std::vector<CodeLine>& lines, const LineChange& change, std::vector<EditCandidate>& found) {
  const auto region = replaced_phrase(change);
  if (!region || is_comment_line(change.after)) return;
  const std::size_t length = region->old_end - region->old_begin;
  if (region->new_end == region->new_begin) return;
  if (length == 0) return propose_between(lines, change, *region, found);
  const auto phrase = std::span(change.old_tokens).subspan(region->old_begin, length);
  const bool keyword = length == 1 && phrase[0].kind == Kind::word && is_reserved(phrase[0].text);
  const bool several = length >= 2 && std::any_of(phrase.begin(), phrase.end(),
                                                  [](const CodeToken& token) { return token.kind == Kind::word; });
  if (!keyword && !several) return;
  const std::size_t begin = change.new_tokens[region->new_begin].begin;
  const std::string text = change.after.substr(begin, change.new_tokens[region->new_end - 1].end() - begin);
  for (const CodeLine* line : alike_near(lines, change)) {
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

}  // namespace cinnabar::daemon
