#include "daemon/commands/unified_diff.h"

#include <algorithm>
#include <vector>

namespace cinnabar::daemon {
namespace {

using Lines = std::vector<std::string_view>;

constexpr std::size_t kContext = 3;  // unchanged lines around a change

// With their line ends.
Lines lines_of(std::string_view text) {
  Lines lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    lines.push_back(text.substr(at, end - at));
    at = end;
  }
  return lines;
}

// Lines [begin, end) of the text before become `text`.
struct Block {
  std::size_t begin = 0, end = 0;
  std::string text;
};

std::vector<Block> blocks_of(std::string_view before, const Lines& lines,
                             std::span<const MultiHoleFill::Change> changes) {
  std::vector<Block> blocks;
  std::vector<std::size_t> begins;
  for (std::size_t at = 0; const std::string_view line : lines) {
    begins.push_back(at);
    at += line.size();
  }
  const auto line_at = [&](std::size_t at) {
    return static_cast<std::size_t>(std::upper_bound(begins.begin(), begins.end(), at) - begins.begin()) -
           (begins.empty() ? 0 : 1);
  };
  std::size_t copied = 0;  // bytes before that are in blocks already
  for (const auto& change : changes) {
    const std::size_t first = line_at(change.begin), last = std::min(line_at(change.end) + 1, lines.size());
    if (blocks.empty() || first >= blocks.back().end) {
      if (!blocks.empty()) {
        const std::size_t end = begins[blocks.back().end - 1] + lines[blocks.back().end - 1].size();
        blocks.back().text += before.substr(copied, end - copied);
      }
      blocks.push_back({first, last, {}});
      copied = begins.empty() ? 0 : begins[first];
    }
    blocks.back().text += before.substr(copied, change.begin - copied);
    blocks.back().text += change.text;
    blocks.back().end = std::max(blocks.back().end, last);
    copied = change.end;
  }
  if (!blocks.empty() && !lines.empty()) {
    const std::size_t end = begins[blocks.back().end - 1] + lines[blocks.back().end - 1].size();
    blocks.back().text += before.substr(copied, end - copied);
  }
  return blocks;
}

void add_line(std::string& out, char sign, std::string_view line) {
  out += sign;
  out += line;
  if (!line.ends_with('\n')) out += "\n\\ No newline at end of file\n";
}

std::string span_of(std::size_t begin, std::size_t count) {
  return std::to_string(count == 0 ? begin : begin + 1) + "," + std::to_string(count);
}

}  // namespace

std::string unified_diff(std::string_view path, std::string_view before,
                         std::span<const MultiHoleFill::Change> changes) {
  const Lines lines = lines_of(before);
  const auto blocks = blocks_of(before, lines, changes);
  if (blocks.empty()) return {};
  std::string out = "--- " + std::string(path) + "\n+++ " + std::string(path) + "\n";
  std::ptrdiff_t shift = 0;  // lines that the text has gained so far
  for (std::size_t i = 0; i < blocks.size();) {
    const std::size_t begin = blocks[i].begin - std::min(blocks[i].begin, kContext);
    std::string hunk;
    std::size_t at = begin;
    std::ptrdiff_t gained = 0;
    for (bool more = true; more;) {
      const Block& block = blocks[i++];
      const Lines after = lines_of(block.text);
      Lines old(lines.begin() + static_cast<std::ptrdiff_t>(block.begin),
                lines.begin() + static_cast<std::ptrdiff_t>(block.end));
      for (; at < block.begin; ++at) add_line(hunk, ' ', lines[at]);
      std::size_t same = 0;
      while (same < std::min(old.size(), after.size()) && old[same] == after[same]) add_line(hunk, ' ', old[same++]);
      std::size_t tail = 0;
      while (tail < std::min(old.size(), after.size()) - same &&
             old.rbegin()[static_cast<std::ptrdiff_t>(tail)] == after.rbegin()[static_cast<std::ptrdiff_t>(tail)])
        ++tail;
      for (std::size_t k = same; k < old.size() - tail; ++k) add_line(hunk, '-', old[k]);
      for (std::size_t k = same; k < after.size() - tail; ++k) add_line(hunk, '+', after[k]);
      for (std::size_t k = old.size() - tail; k < old.size(); ++k) add_line(hunk, ' ', old[k]);
      gained += static_cast<std::ptrdiff_t>(after.size()) - static_cast<std::ptrdiff_t>(old.size());
      at = block.end;
      more = i < blocks.size() && blocks[i].begin <= at + 2 * kContext;
    }
    const std::size_t end = std::min(at + kContext, lines.size());
    for (; at < end; ++at) add_line(hunk, ' ', lines[at]);
    const auto begin_after = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(begin) + shift);
    const auto count_after = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(end - begin) + gained);
    out += "@@ -" + span_of(begin, end - begin) + " +" + span_of(begin_after, count_after) + " @@\n" + hunk;
    shift += gained;
  }
  return out;
}

}  // namespace cinnabar::daemon
