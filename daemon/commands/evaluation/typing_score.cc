#include "daemon/commands/evaluation/typing_score.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <utility>
#include <vector>

#include "base/text.h"
#include "daemon/commands/evaluation/files.h"
#include "daemon/commands/evaluation/repaired.h"

namespace cinnabar::daemon::evaluation {
namespace {

constexpr std::string_view kBlank = " \t\r\n";

bool is_letter(char c) {  // of a word, in any script
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

std::string_view first_line(std::string_view text) { return right_stripped(text.substr(0, text.find('\n'))); }

// Behind blank lines at the beginning, when there is more.
std::string_view from_first_text(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlank);
  return first == std::string_view::npos || text.substr(0, first).find('\n') == std::string_view::npos
             ? text
             : text.substr(line_begin(text, first));
}

// The next word with the blanks in front of it: letters and digits, or one other character.
std::string_view next_word(std::string_view text) {
  std::size_t end = std::min(text.find_first_not_of(kBlank), text.size());
  if (end < text.size() && !is_letter(text[end])) return text.substr(0, end + 1);
  while (end < text.size() && is_letter(text[end])) ++end;
  return text.substr(0, end);
}

struct Words {
  std::size_t bytes = 0;
  int count = 0;
};

// The words at the beginning of `text` that `wanted` begins with, too.
Words common_words(std::string_view text, std::string_view wanted) {
  Words found;
  while (found.bytes < text.size()) {
    const std::string_view word = next_word(text.substr(found.bytes));
    if (is_blank(word) || word != next_word(wanted.substr(std::min(found.bytes, wanted.size())))) break;
    found.bytes += word.size();
    ++found.count;
  }
  return found;
}

int typed_keys(std::string_view text) {
  // Editors put a line's indentation in.
  const std::string_view line = stripped(first_line(from_first_text(text)));
  return static_cast<int>(std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

bool is_exact(const TypingPlace& place, const CursorText& around, const ShownText& shown) {
  const std::string_view text = shown.text;
  if (place.hole && shown.replaced == 0 && right_stripped(text) == right_stripped(*place.hole)) return true;
  std::string whole(text);
  if (text.find('\n') == std::string_view::npos)
    whole += std::string_view(around.behind).substr(std::min(shown.replaced, around.behind.size()));
  const std::string_view line =
      first_line(from_first_text(text)) == std::string_view() ? first_line(whole) : first_line(from_first_text(whole));
  return !is_blank(text) && line == first_line(from_first_text(place.next));
}

}  // namespace

Judged judge(const TypingPlace& place, const CursorText& around, const std::optional<ShownText>& shown) {
  Judged judged;
  judged.keys = typed_keys(place.hole ? std::string_view(*place.hole) : std::string_view(place.next));
  if (!shown || is_blank(shown->text)) return judged;
  // What it only repeats of the text before the cursor.
  ShownText answer = *shown;
  const std::string_view covered =
      std::string_view(around.before).substr(around.before.size() - std::min(answer.covered, around.before.size()));
  if (answer.text.starts_with(covered)) answer.text.remove_prefix(covered.size());
  if (is_exact(place, around, answer)) {
    judged.outcome = Outcome::exact;
    judged.saved = std::max(judged.keys - 1, 0);
    return judged;
  }
  const Words right = common_words(answer.text, place.next);
  const std::string_view taken = answer.text.substr(0, right.bytes);
  const bool tells = std::any_of(taken.begin(), taken.end(), is_letter) ||
                     (right.count > 0 && right.bytes == right_stripped(answer.text).size());
  judged.outcome = tells ? Outcome::beginning : Outcome::wrong;
  if (tells) judged.saved = std::max(static_cast<int>(stripped(taken).size()) - right.count, 0);
  return judged;
}

std::optional<bool> breaks(const TypingScript& script, const TypingPlace& place, const CursorText& around,
                           const ShownText& shown) {
  const syntax::Language* language = syntax::find_language(script.language);
  if (language == nullptr) language = syntax::language_of_path(script.path);
  if (language == nullptr) return std::nullopt;
  const std::string_view wanted = place.hole ? std::string_view(*place.hole) : std::string_view(place.next);
  const std::size_t indentation = wanted.size() - from_first_text(wanted).size();
  const std::string line(wanted.substr(0, std::min(wanted.find('\n', indentation), wanted.size())));
  const auto right = wrong_when_repaired(*language, around.before + line, around.behind);
  const std::string before =
      around.before.substr(0, around.before.size() - std::min(shown.covered, around.before.size()));
  const auto with = wrong_when_repaired(*language, before + std::string(shown.text),
                                        around.behind.substr(std::min(shown.replaced, around.behind.size())));
  if (!right || !with) return std::nullopt;
  return *with > *right;
}

namespace {

using Group = std::vector<const ScoredPlace*>;

std::string count(const Group& group, bool (*holds)(const ScoredPlace&)) {
  return std::to_string(std::count_if(group.begin(), group.end(), [&](const ScoredPlace* one) { return holds(*one); }));
}

std::string row(const std::string& name, const Group& group) {
  int keys = 0, saved = 0;
  std::vector<double> times;
  for (const ScoredPlace* place : group) {
    keys += place->judged.keys;
    saved += place->judged.saved;
    times.push_back(place->milliseconds);
  }
  std::string text = "| " + name + " | " + std::to_string(group.size());
  using P = const ScoredPlace&;
  for (auto* holds :
       {+[](P p) { return p.judged.outcome != Outcome::nothing; },
        +[](P p) { return p.judged.outcome == Outcome::exact; },
        +[](P p) { return p.judged.outcome == Outcome::beginning; },
        +[](P p) { return p.judged.outcome == Outcome::wrong; }, +[](P p) { return p.broken == true; },
        +[](P p) { return p.withheld == Outcome::exact; }, +[](P p) { return p.withheld == Outcome::beginning; }})
    text += " | " + count(group, holds);
  text += " | " + (keys > 0 ? formatted(100.0 * saved / keys, 1) : std::string("-"));
  return text + " | " + percentile(times, 0.5) + " | " + percentile(times, 0.95) + " |\n";
}

}  // namespace

std::string typing_report(std::span<const ScoredPlace> places) {
  std::map<std::string, Group> languages, kinds;
  Group all;
  for (const ScoredPlace& place : places) {
    all.push_back(&place);
    languages[place.language].push_back(&place);
    kinds[place.kind].push_back(&place);
  }
  std::string text =
      "| | places | shown | exact first line | right beginning | wrong | breaks the parse | withheld: exact | "
      "beginning "
      "| keys saved, % | p50 ms | p95 ms |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n";
  text += row("all", all);
  for (const auto& groups : {languages, kinds}) {
    for (const auto& [name, group] : groups) text += row(name, group);
  }
  return text;
}

}  // namespace cinnabar::daemon::evaluation
