#include "daemon/editing/analogy.h"

#include <algorithm>
#include <deque>

#include "daemon/editing/alike_lines.h"

namespace cinnabar::daemon {
namespace {

constexpr std::size_t kRecent = 6;  // edits that are looked at

std::size_t distance(const EditCandidate& candidate, std::size_t cursor) {
  if (candidate.begin >= cursor) return candidate.begin - cursor;
  return 2 * (cursor - candidate.begin);  // what comes next is mostly further down
}

// Whether the candidate would put back what an edit has just taken away there.
bool reverts(const EditScene& scene, const EditCandidate& candidate) {
  return std::any_of(scene.history.begin(), scene.history.end(), [&](const PastEdit& past) {
    return candidate.begin <= past.end && past.begin <= candidate.end && !past.old.empty() &&
           candidate.text == past.old;
  });
}

std::string_view line_around(std::string_view text, std::size_t at) {
  const std::size_t begin = line_begin(text, at);
  return text.substr(begin, std::min(text.find('\n', at), text.size()) - begin);
}

// Whether the same line stands beside the insertion already.
bool repeats(std::string_view text, const EditCandidate& candidate) {
  if (candidate.begin != candidate.end)
    return text.substr(candidate.begin, candidate.end - candidate.begin) == candidate.text;
  const std::string_view added = stripped(candidate.text);
  if (candidate.text.find('\n') == std::string::npos) return false;
  const std::size_t next = std::min(text.find('\n', candidate.begin), text.size() - 1) + 1;
  return stripped(line_around(text, candidate.begin)) == added ||
         (next < text.size() && stripped(line_around(text, next)) == added);
}

}  // namespace

std::string_view name(EditPattern pattern) {
  switch (pattern) {
    case EditPattern::rename:
      return "rename";
    case EditPattern::same_shape:
      return "same shape";
    case EditPattern::argument:
      return "argument";
    case EditPattern::insertion:
      return "insertion";
    case EditPattern::rewrite:
      return "rewrite";
  }
  return "";
}

std::vector<EditCandidate> edits_by_analogy(const EditScene& scene) {
  std::vector<EditCandidate> found;
  if (scene.history.empty()) return found;
  const auto lines = code_lines(scene);
  std::deque<LineChange> changes;  // latest first
  std::vector<const LineChange*> all;
  for (std::size_t i = 0; i < std::min(scene.history.size(), kRecent); ++i) {
    const LineEdit edit = whole_lines(scene.text, scene.history[scene.history.size() - 1 - i]);
    if (edit.before.size() == edit.after.size()) {
      std::size_t at = edit.begin;
      for (std::size_t line = 0; line < edit.before.size(); ++line) {
        if (edit.before[line] != edit.after[line]) changes.emplace_back(edit.before[line], edit.after[line], at);
        at += edit.after[line].size() + 1;
      }
    } else if (edit.before.empty()) {
      propose_insertions(lines, edit, found);
    } else if (edit.before.size() == 1 && !edit.after.empty()) {
      changes.emplace_back(edit.before.front(), edit.after.front(), edit.begin);
    }
  }
  for (const LineChange& change : changes) {
    propose_same_shape(lines, change, found);
    propose_phrases(lines, change, found);
    propose_leading_words(lines, change, found);
    all.push_back(&change);
  }
  propose_renames(scene, lines, all, found);
  propose_arguments(lines, all, found);
  std::erase_if(found,
                [&](const auto& candidate) { return reverts(scene, candidate) || repeats(scene.text, candidate); });
  std::stable_sort(found.begin(), found.end(), [&](const auto& one, const auto& other) {
    const int rank = static_cast<int>(one.strength * 4), others = static_cast<int>(other.strength * 4);
    return rank != others ? rank > others : distance(one, scene.cursor) < distance(other, scene.cursor);
  });
  std::vector<EditCandidate> best;  // one a line: the stronger pattern's
  for (EditCandidate& candidate : found) {
    const bool taken = std::any_of(best.begin(), best.end(), [&](const EditCandidate& other) {
      return line_begin(scene.text, other.begin) == line_begin(scene.text, candidate.begin);
    });
    if (!taken) best.push_back(std::move(candidate));
    if (best.size() == kCandidates) break;
  }
  return best;
}

}  // namespace cinnabar::daemon
