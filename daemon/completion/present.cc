#include "daemon/completion/present.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>

#include "base/line_ends.h"
#include "daemon/syntax/cuts.h"

namespace cinnabar::daemon {
namespace {

// Takes one character off the front; nothing where `text` is no well-formed UTF-8 (RFC 3629).
bool take_character(std::string_view& text, std::uint32_t& character) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  const std::uint32_t lead = byte(0);
  const std::size_t size = lead < 0x80                   ? 1
                           : lead >= 0xC2 && lead < 0xE0 ? 2
                           : lead >= 0xE0 && lead < 0xF0 ? 3
                           : lead >= 0xF0 && lead < 0xF5 ? 4
                                                         : 0;
  if (size == 0 || size > text.size()) return false;
  character = size == 1 ? lead : lead & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return false;
    character = character << 6U | (byte(i) & 0x3FU);
  }
  constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = character >= 0xD800 && character < 0xE000;
  text.remove_prefix(size);
  return character >= kSmallest[size] && character <= 0x10FFFF && !surrogate;
}

// Tabs and line ends are no control characters here.
bool is_hidden(std::uint32_t character) {
  if (character == '\t' || character == '\n' || character == '\r') return false;
  const bool control = character < 0x20 || (character >= 0x7F && character < 0xA0);
  const bool direction = character == 0x061C || character == 0x200E || character == 0x200F ||
                         (character >= 0x202A && character <= 0x202E) || (character >= 0x2066 && character <= 0x2069);
  return control || direction || character == 0xFEFF || character == 0xFFFD;
}

// Its end is one unit again and again: the model goes round in a circle.
bool runs_away(std::string_view text) {
  constexpr std::size_t kRepeated = 24;  // bytes that must be repetition before it counts
  constexpr std::size_t kTimes = 3;
  for (std::size_t unit = 1; unit * kTimes <= text.size(); ++unit) {
    const std::size_t length = std::max(unit * kTimes, kRepeated);
    if (length > text.size()) continue;
    const std::string_view tail = text.substr(text.size() - length);
    if (tail.substr(unit) == tail.substr(0, tail.size() - unit)) return true;
  }
  return false;
}

// One letter or digit that was chosen again and again until by chance something else was: a number of a hundred noughts
// ends like any other. Rulers of `-` and `=` are meant.
bool is_stuck(std::string_view text) {
  constexpr std::size_t kMost = 40;  // a SHA-1 of noughts
  std::size_t run = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    run = i > 0 && text[i] == text[i - 1] ? run + 1 : 1;
    if (run > kMost && std::isalnum(c) != 0) return true;
  }
  return false;
}

// Whether an expression or a statement ends before `rest`: what the model went on with separates it from the next.
bool is_separated(std::string_view rest) {
  const std::size_t next = rest.find_first_not_of(" \t\r\n");
  return next != std::string_view::npos && (rest[next] == ',' || rest[next] == ';');
}

// The longest beginning of an unfinished line that is whole: it closes what it opens, and a separator follows or ends
// it. Half of an expression reads like all of one ("total += item" of "total += item.price"), so there is no other cut.
std::string_view whole_part(std::string_view line) {
  std::size_t end = 0;
  int open = 0;
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != 0) {
      if (c == '\\')
        ++i;
      else if (c == quote)
        quote = 0;
    } else if (c == '"' || c == '\'' || c == '`') {
      quote = c;
    } else if (c == '(' || c == '[' || c == '{') {
      ++open;
    } else if (c == ')' || c == ']' || c == '}') {
      --open;
    }
    if (open == 0 && quote == 0 && (c == ';' || is_separated(line.substr(i + 1)))) end = i + 1;
  }
  return line.substr(0, end);
}

std::string_view finished_part(std::string_view text, const syntax::Language* language) {
  if (runs_away(text)) return {};
  if (text.find('\n') == std::string_view::npos) return whole_part(text);
  const auto lengths = syntax::cuts(text, language);
  return lengths.empty() ? std::string_view() : text.substr(0, lengths.front());
}

// Whether the cursor's line, once `text` is in it, is the line above or below over again.
bool is_echo(std::string_view text, std::string_view prefix, std::string_view suffix) {
  constexpr std::size_t kTelling = 4;  // bytes; shorter lines ("}", "end") come twice for good reasons
  const std::size_t line_begin = prefix.rfind('\n');
  const std::string_view before = line_begin == std::string_view::npos ? prefix : prefix.substr(line_begin + 1);
  if (!stripped(before).empty() || text.find('\n') != std::string_view::npos) return false;
  const std::string_view line = stripped(text);
  if (line.size() < kTelling) return false;
  const std::string_view above =
      line_begin == std::string_view::npos ? std::string_view() : right_stripped(prefix.substr(0, line_begin));
  const std::string_view below = suffix.substr(std::min(suffix.find('\n'), suffix.size()));
  const std::size_t below_begin = std::min(below.find_first_not_of(" \t\r\n"), below.size());
  const std::size_t below_end = below.find('\n', below_begin);
  return stripped(above.substr(above.rfind('\n') + 1)) == line ||
         stripped(below.substr(below_begin,
                               below_end == std::string_view::npos ? below_end : below_end - below_begin)) == line;
}

}  // namespace

bool is_clean(std::string_view text) {
  while (!text.empty()) {
    std::uint32_t character = 0;
    if (!take_character(text, character) || is_hidden(character)) return false;
  }
  return true;
}

std::string presentable(const engine::InfillAnswer& answer, const Fitting& place) {
  using engine::StopReason;
  if (answer.reason == StopReason::cancelled || !is_clean(answer.text) || is_stuck(answer.text)) return {};
  const std::string given = with_line_ends(answer.text, false);
  std::string_view text = given;
  if (answer.reason == StopReason::deadline || answer.reason == StopReason::length)
    text = finished_part(text, place.language);
  const std::string shown = fitted(text, place);
  if (is_blank(shown) || is_echo(shown, place.before, place.behind)) return {};
  return with_line_ends(shown, has_carriage_returns(place.before) || has_carriage_returns(place.behind));
}

std::string presentable(const engine::InfillAnswer& answer, std::string_view prefix, std::string_view suffix) {
  Fitting place;
  place.before = prefix;
  place.behind = suffix;
  return presentable(answer, place);
}

}  // namespace cinnabar::daemon
