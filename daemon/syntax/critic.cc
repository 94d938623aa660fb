#include "daemon/syntax/critic.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "base/text.h"
#include "daemon/syntax/cuts.h"
#include "daemon/syntax/indentation.h"
#include "daemon/syntax/placeholder.h"
#include "daemon/syntax/plan_rules.h"

namespace cinnabar::daemon::syntax {
namespace {

// The document with a part of the answer in the hole.
struct Tried {
  bool parsed = false;
  Damage damage;
  std::vector<Span> wrong;  // the damaged ranges that touch the answer, as the answer's own bytes
};

Tried try_part(const Tree& document, const LineIndex& lines, const Hole& hole, std::string_view part) {
  std::string text(document.text());
  text.replace(hole.begin, hole.end - hole.begin, part);
  const std::size_t behind = hole.begin + part.size();
  const ByteEdit edit{hole.begin, hole.end, behind};
  LineIndex after = lines;
  after.update(text, edit.begin, edit.old_end, edit.new_end);
  const TreePtr tree = document.follow(edit, lines, text, after);
  if (!tree) return {};
  Tried tried{true, damage_of(*tree), {}};
  for (const auto& [begin, end] : damaged_ranges(*tree, 64)) {
    if (end < hole.begin || begin > behind) continue;
    tried.wrong.push_back({std::max(begin, hole.begin) - hole.begin, std::min(end, behind) - hole.begin});
  }
  return tried;
}

std::string_view first_line(std::string_view text) { return text.substr(0, text.find('\n')); }

}  // namespace

bool is_stub_again(const Language& language, const Hole& hole, std::string_view answer) {
  if (hole.kind != HoleKind::stub && hole.kind != HoleKind::mark) return false;
  return stub_in(language, answer, {0, answer.size()}).has_value();
}

bool is_worse(const Damage& after, const Damage& before, std::size_t bytes) {
  return after.count() > before.count() || after.bytes > before.bytes + bytes;
}

std::string closed_off(std::string_view answer, const Hole& hole, std::string_view behind,
                       std::string_view indentation) {
  std::string text(right_stripped(answer));
  const bool brace_here = hole.closer_given && hole.closer == "}" && stripped(first_line(behind)).starts_with("}");
  if (brace_here && hole.kind == HoleKind::body && text.find('\n') != std::string::npos)
    text += "\n" + std::string(indentation);
  return text;
}

std::string_view without_repetition(std::string_view answer, std::string_view behind) {
  constexpr std::size_t kTelling = 8;
  // The end of the answer is the rest of the hole's line again.
  const std::string_view rest = stripped(first_line(behind));
  const std::string_view kept = right_stripped(answer);
  if (rest.size() >= kTelling && kept.ends_with(rest)) return right_stripped(kept.substr(0, kept.size() - rest.size()));
  // From one of its lines on the answer is the lines below again.
  const std::size_t below = behind.find('\n');
  if (below == std::string_view::npos || !rest.empty()) return answer;
  const std::size_t begin = behind.find_first_not_of(" \t\r\n", below);
  if (begin == std::string_view::npos) return answer;
  const std::string_view next = right_stripped(first_line(behind.substr(begin)));
  if (next.size() < kTelling) return answer;
  for (std::size_t at = answer.find('\n'); at != std::string_view::npos; at = answer.find('\n', at + 1)) {
    if (stripped(first_line(answer.substr(at + 1))) == next) return right_stripped(answer.substr(0, at));
  }
  return answer;
}

namespace {

// Shorter forms of an answer whose whole is wrong from byte `wrong` on, tried from the most promising on: each costs a
// parse, so there are few.
struct Shorter {
  const Tree& document;
  const LineIndex& lines;
  const Hole& hole;
  std::string_view text;
  const Damage before;

  // The damage with the first `length` bytes, where these are fit to be shown.
  std::optional<Damage> fits(std::size_t length, int less_than) const {
    const auto tried = try_part(document, lines, hole, text.substr(0, length));
    const bool fit = tried.parsed && !is_worse(tried.damage, before, length) && tried.damage.count() < less_than;
    return fit ? std::optional(tried.damage) : std::nullopt;
  }

  // The longest beginning; the one in front of the damage; the shortest: an opener without its closer may make one
  // error of all that stands around it.
  std::optional<std::pair<std::size_t, Damage>> find(std::size_t wrong, int less_than) const {
    const auto lengths = cuts(text, &document.language());
    if (lengths.empty()) return std::nullopt;
    const auto in_front = std::find_if(lengths.begin(), lengths.end(), [&](std::size_t n) { return n <= wrong; });
    std::vector<std::size_t> tried;
    for (const std::size_t length :
         {lengths.front(), in_front == lengths.end() ? lengths.back() : *in_front, lengths.back()}) {
      if (std::find(tried.begin(), tried.end(), length) != tried.end()) continue;
      tried.push_back(length);
      if (const auto damage = fits(length, less_than)) return std::pair{length, *damage};
    }
    return std::nullopt;
  }
};

// The least damage that the document has with something right in the hole: with nothing, or with a placeholder. Stops
// where it is less than `enough`.
Damage least_damage(const Tree& document, const LineIndex& lines, const Hole& hole, const Damage& enough) {
  const std::string_view text = document.text();
  Damage least = damage_of(document);
  const std::size_t begin = line_begin(text, hole.begin);
  for (const auto& placeholder : placeholders(document.language(), hole, text.substr(begin, hole.begin - begin),
                                              text.substr(hole.end, line_end(text, hole.end) - hole.end))) {
    if (least.count() < enough.count()) break;
    const auto tried = try_part(document, lines, hole, placeholder);
    if (tried.parsed && tried.damage.count() < least.count()) least = tried.damage;
  }
  return least;
}

}  // namespace

Verdict judge(const Tree& document, const LineIndex& lines, const Hole& hole, std::string_view answer) {
  Verdict verdict;
  const std::string_view behind = document.text().substr(hole.end);
  const std::string_view once = without_repetition(answer, behind);
  if (once.size() < answer.size()) verdict.wrong.push_back({once.size(), answer.size()});
  verdict.cut = once.size() < answer.size();
  const std::string_view line = document.text().substr(line_begin(document.text(), hole.begin));
  const auto style = indent_style_at(document.text(), hole.begin, document.language().name);
  const std::string_view before = line.substr(0, hole.begin - line_begin(document.text(), hole.begin));
  const std::string text = closed_off(style ? with_indentation_of(once, *style, before) : std::string(once), hole,
                                      behind, indentation_of(line));
  verdict.before = verdict.after = damage_of(document);
  if (text.empty()) return verdict;
  if (is_stub_again(document.language(), hole, text)) {
    verdict.wrong.push_back({0, answer.size()});
    verdict.worse = verdict.withheld = verdict.cut = true;
    return verdict;
  }

  auto whole = try_part(document, lines, hole, text);
  if (!whole.parsed) {  // no tree, no judgement
    verdict.text = text;
    return verdict;
  }
  if (whole.damage.count() > 0) verdict.before = verdict.after = least_damage(document, lines, hole, whole.damage);
  // An element that the answer opens gets its end from its author, later.
  const std::string tags =
      is_worse(whole.damage, verdict.before, text.size()) ? closing_tags(document.language(), text) : "";
  if (!tags.empty()) {
    auto closed = try_part(document, lines, hole, text + tags);
    if (closed.parsed && !is_worse(closed.damage, verdict.before, text.size())) whole = std::move(closed);
  }
  const bool worse = verdict.worse = is_worse(whole.damage, verdict.before, text.size());
  verdict.wrong.insert(verdict.wrong.end(), whole.wrong.begin(), whole.wrong.end());
  if (worse && verdict.wrong.empty()) verdict.wrong.push_back({0, text.size()});  // it breaks what stands behind it
  if (worse || !whole.wrong.empty()) {
    const Shorter shorter{document, lines, hole, text, verdict.before};
    const std::size_t wrong = whole.wrong.empty() ? text.size() : whole.wrong.front().begin;
    if (const auto found = shorter.find(wrong, worse ? std::numeric_limits<int>::max() : whole.damage.count())) {
      verdict.text = text.substr(0, found->first);
      verdict.after = found->second;
      verdict.cut = true;
      return verdict;
    }
  }
  verdict.withheld = worse;
  verdict.cut = verdict.cut || worse;
  if (!worse) {
    verdict.text = text;
    verdict.after = whole.damage;
  }
  return verdict;
}

}  // namespace cinnabar::daemon::syntax
