// What an edit just made asks for elsewhere: places of the same text that are alike to it, and what they would become.
// Four patterns, all of words and marks (code_tokens.h), so they work in any language and in broken code:
//   rename      a name was changed where it is declared, or twice the same way: its other uses
//   same shape  a line was changed: lines that differ from it in names and values only
//   argument    a parameter or an argument was added: the other calls
//   insertion   a line was added beside one like it: the places where the older one has its fellows
// A pattern proposes; whether a proposal is shown, the model decides (next_edit.h).
//
// Pure functions. Offsets are bytes of the present text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/editing/history.h"
#include "daemon/syntax/tree.h"

namespace cinnabar::daemon {

enum class EditPattern : std::uint8_t {
  rename,
  same_shape,
  argument,
  insertion,
  rewrite
};  // rewrite: of a window, by the model itself
std::string_view name(EditPattern pattern);

struct EditCandidate {
  std::size_t begin = 0, end = 0;  // the bytes replaced; none for an insertion
  std::string text;
  EditPattern pattern = EditPattern::rename;
  float strength = 0;  // 0 .. 1: how much the pattern alone speaks for it
  friend bool operator==(const EditCandidate&, const EditCandidate&) = default;
};

// The text, and what has been done to it.
struct EditScene {
  std::string_view text;
  const std::vector<PastEdit>& history;  // of `text`, oldest first
  std::size_t cursor = 0;
  const syntax::Tree* tree = nullptr;  // of `text`; null: none
};

// Best first: strong ones before weak ones, then near ones, those after the cursor first. None touches a line that the
// history has changed, restores what an edit replaced, or repeats what is there. At most kCandidates.
inline constexpr std::size_t kCandidates = 24;
std::vector<EditCandidate> edits_by_analogy(const EditScene& scene);

}  // namespace cinnabar::daemon
