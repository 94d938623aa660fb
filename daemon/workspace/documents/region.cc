#include "daemon/workspace/documents/region.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/text.h"

namespace cinnabar::daemon::syntax {
namespace {

// So many lines at least, and so many more in search of a better border.
constexpr std::size_t kLinesAbove = 30, kLinesBelow = 12, kSearched = 80;
constexpr std::size_t kPartBytes = 8 * 1024;  // on each side

std::string_view line_at(std::string_view text, const LineIndex& lines, std::size_t line) {
  return text.substr(lines.line_begin(line), lines.line_end(text, line) - lines.line_begin(line));
}

// A line at the margin with which something begins: no closer, no rest of a call, no inside of a comment.
bool begins_something(std::string_view line) {
  if (line.empty()) return false;
  const char c = line.front();
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '@' || line.starts_with("//") ||
         line.starts_with("/**") || line.starts_with("#[") || c == '[';
}

// The string of several lines that byte `at` stands in; nothing is in one at byte `from`.
std::optional<Span> long_string_at(std::string_view text, Words quotes, std::size_t from, std::size_t at) {
  std::vector<std::size_t> next(quotes.size(), 0);  // where each comes next, at `from` or behind it
  for (bool first = true; from < at && !quotes.empty(); first = false) {
    std::size_t nearest = 0;
    for (std::size_t i = 0; i < quotes.size(); ++i) {
      if (first || next[i] < from) next[i] = std::min(text.find(quotes[i], from), text.size());
      if (next[i] < next[nearest]) nearest = i;
    }
    const std::size_t begin = next[nearest], inside = begin + quotes[nearest].size();
    if (begin >= at) return {};
    const std::size_t close = text.find(quotes[nearest], inside);
    from = close == std::string_view::npos ? text.size() : close + quotes[nearest].size();
    if (from > at) return Span{begin, from};
  }
  return {};
}

std::size_t first_line(std::string_view text, const LineIndex& lines, std::size_t offset, Words quotes) {
  const std::size_t at = lines.line_of(offset);
  std::size_t first = at - std::min(at, kLinesAbove);
  for (std::size_t tried = 0, line = first; tried < kSearched && line > 0; ++tried, --line) {
    if (!begins_something(line_at(text, lines, line))) continue;
    first = line;
    break;
  }
  while (first < at && offset - lines.line_begin(first) > kPartBytes) ++first;
  if (const auto string = long_string_at(text, quotes, 0, lines.line_begin(first))) {
    const std::size_t opener = lines.line_of(string->begin), behind = lines.line_of(string->end) + 1;
    if (offset - lines.line_begin(opener) <= kPartBytes)
      first = opener;
    else if (behind <= at)
      first = behind;
  }
  return first;
}

std::size_t last_line(std::string_view text, const LineIndex& lines, std::size_t offset, Words quotes,
                      std::size_t first) {
  const std::size_t at = lines.line_of(offset);
  std::size_t last = std::min(at + kLinesBelow, lines.line_count() - 1);
  for (std::size_t tried = 0, line = last; tried < kSearched && line + 1 < lines.line_count(); ++tried, ++line) {
    if (!begins_something(line_at(text, lines, line + 1))) continue;
    last = line;
    break;
  }
  while (last > at && lines.line_end(text, last) - offset > kPartBytes) --last;
  if (const auto string = long_string_at(text, quotes, lines.line_begin(first), lines.line_end(text, last))) {
    const std::size_t opener = lines.line_of(string->begin), closer = lines.line_of(string->end);
    if (string->end - std::min(string->end, offset) <= kPartBytes)
      last = closer;
    else if (opener > at)
      last = opener - 1;
  }
  return last;
}

}  // namespace

Span part_around(std::string_view text, const LineIndex& lines, std::size_t offset, Words long_quotes) {
  const std::size_t first = first_line(text, lines, offset, long_quotes);
  const std::size_t last = last_line(text, lines, offset, long_quotes, first);
  const std::size_t end = last + 1 < lines.line_count() ? lines.line_begin(last + 1) : text.size();
  return {lines.line_begin(first), end};
}

const Language* language_of(const DocumentSnapshot& document) {
  const Language* language = find_language(document.language_id());
  return language != nullptr ? language : language_of_path(document.uri());
}

ParseRegionPtr region_at(const SnapshotPtr& document, std::size_t offset, Trees& trees) {
  auto region = std::make_shared<ParseRegion>();
  region->document = document;
  const std::string_view text = document->text();
  const Language* language = language_of(*document);
  if (text.size() <= kWholeBytes || language == nullptr) {
    region->lines = document->lines();
    region->tree = trees.of(document).tree;
    return region;
  }
  const Span part = part_around(text, document->lines(), offset, language->long_quotes);
  region->begin = part.begin;
  region->text = text.substr(part.begin, part.end - part.begin);
  region->lines = LineIndex(region->text);
  region->tree = Tree::parse(*language, region->text, region->lines, trees.limits());
  return region;
}

ParseRegionPtr region_at(std::string text, std::size_t offset, std::string language_id, std::string path,
                         const ParseLimits& limits) {
  LineIndex lines(text);
  const auto document = std::make_shared<const DocumentSnapshot>(
      DocumentSnapshot::Identity{std::move(path), std::move(language_id), 0, 0}, std::move(text), std::move(lines));
  Trees trees(1, limits);
  return region_at(document, offset, trees);
}

ParseRegionPtr whole_region(std::string text, const Language& language) {
  auto region = std::make_shared<ParseRegion>();
  LineIndex lines(text);
  region->document = std::make_shared<const DocumentSnapshot>(
      DocumentSnapshot::Identity{"", std::string(language.name), 0, 0}, std::move(text), std::move(lines));
  region->lines = region->document->lines();
  region->tree = Tree::parse(language, region->document->text(), region->lines);
  return region;
}

}  // namespace cinnabar::daemon::syntax
