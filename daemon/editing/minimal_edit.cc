#include "daemon/editing/minimal_edit.h"

#include <algorithm>
#include <cstdint>

namespace cinnabar::daemon {
namespace {

constexpr std::size_t kMostLines = 2'000;  // of the differing part; beyond it is replaced in one piece

struct Lines {
  std::vector<std::string_view> text;  // each with its line end
  std::vector<std::size_t> begin;      // and one more: the end of all
};

Lines lines_of(std::string_view text) {
  Lines lines;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    lines.text.push_back(text.substr(at, end - at));
    lines.begin.push_back(at);
    at = end;
  }
  lines.begin.push_back(text.size());
  return lines;
}

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

// What differs between two pieces that are not equal.
TextChange between_equal_ends(std::size_t begin, std::string_view before, std::string_view after) {
  std::size_t first = 0, last = 0;
  const std::size_t most = std::min(before.size(), after.size());
  while (first < most && before[first] == after[first]) ++first;
  while (first > 0 && ((first < before.size() && continues_character(before[first])) ||
                       (first < after.size() && continues_character(after[first]))))
    --first;
  while (last < most - first && before[before.size() - 1 - last] == after[after.size() - 1 - last]) ++last;
  while (last > 0 && continues_character(before[before.size() - last])) --last;
  return {begin + first, begin + before.size() - last, std::string(after.substr(first, after.size() - first - last))};
}

}  // namespace

std::vector<TextChange> minimal_changes(std::string_view before, std::string_view after) {
  std::vector<TextChange> changes;
  if (before == after) return changes;
  const Lines one = lines_of(before), other = lines_of(after);
  const std::size_t n = one.text.size(), m = other.text.size();
  if (n > kMostLines || m > kMostLines) return {between_equal_ends(0, before, after)};
  std::vector<std::uint16_t> best((n + 1) * (m + 1), 0);
  const auto at = [&](std::size_t i, std::size_t j) -> std::uint16_t& { return best[i * (m + 1) + j]; };
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t j = m; j-- > 0;)
      at(i, j) = one.text[i] == other.text[j] ? static_cast<std::uint16_t>(at(i + 1, j + 1) + 1)
                                              : std::max(at(i + 1, j), at(i, j + 1));
  }
  std::size_t i = 0, j = 0;
  while (i < n || j < m) {
    if (i < n && j < m && one.text[i] == other.text[j]) {
      ++i, ++j;
      continue;
    }
    const std::size_t from = i, other_from = j;
    while ((i < n || j < m) && !(i < n && j < m && one.text[i] == other.text[j])) {
      if (j == m || (i < n && at(i + 1, j) >= at(i, j + 1)))
        ++i;
      else
        ++j;
    }
    const std::size_t begin = one.begin[from];
    changes.push_back(
        between_equal_ends(begin, before.substr(begin, one.begin[i] - begin),
                           after.substr(other.begin[other_from], other.begin[j] - other.begin[other_from])));
  }
  return changes;
}

std::string with_changes(std::string_view before, const std::vector<TextChange>& changes) {
  std::string after;
  std::size_t at = 0;
  for (const TextChange& change : changes) {
    after += before.substr(at, change.begin - at);
    after += change.text;
    at = change.end;
  }
  after += before.substr(at);
  return after;
}

}  // namespace cinnabar::daemon
