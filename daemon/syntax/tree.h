// One text's syntax tree, and how it follows an edit.
//
// A tree is immutable and may be read from any thread. It borrows its text, which has to outlive it and to stay where
// it is. Offsets are bytes.
#pragma once

#include <tree_sitter/api.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/line_index.h"
#include "base/text.h"
#include "daemon/syntax/language.h"

namespace cinnabar::daemon::syntax {

// Beyond a limit there is no tree, and plans fall back to lines.
struct ParseLimits {
  std::size_t bytes = 2 * 1024 * 1024;
  std::size_t line_bytes = 10'000;      // minified code
  std::chrono::milliseconds time{400};  // of the processor
};

class Tree;
using TreePtr = std::shared_ptr<const Tree>;

class Tree {
 public:
  // Null when a limit is reached. `lines` is the index of `text`.
  static TreePtr parse(const Language& language, std::string_view text, const LineIndex& lines,
                       const ParseLimits& limits = {});
  // The tree of `text`, which is this tree's text after `edit`; keeps what the edit did not touch. `old_lines` is the
  // index of this tree's text, which itself need not be there any more. Null when a limit is reached.
  TreePtr follow(const ByteEdit& edit, const LineIndex& old_lines, std::string_view text, const LineIndex& lines,
                 const ParseLimits& limits = {}) const;

  ~Tree();
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  const Language& language() const { return *language_; }
  std::string_view text() const { return text_; }
  TSNode root() const { return ts_tree_root_node(tree_); }

 private:
  Tree(const Language& language, std::string_view text, TSTree* tree)
      : language_(&language), text_(text), tree_(tree) {}

  const Language* language_;
  std::string_view text_;
  TSTree* tree_;
};

// One edit that covers `edits` (in the order of AppliedChange).
ByteEdit merged(std::span<const ByteEdit> edits);

// A node's place and kind, in our words.
inline std::size_t begin_of(TSNode node) { return ts_node_start_byte(node); }
inline std::size_t end_of(TSNode node) { return ts_node_end_byte(node); }
inline std::string_view kind_of(TSNode node) { return ts_node_type(node); }
inline bool is_error(TSNode node) { return ts_node_is_error(node); }

// The nodes that span [begin, end), from the root to the innermost. Stops at a depth that no person's file has.
std::vector<TSNode> path_to(const Tree& tree, std::size_t begin, std::size_t end);

// Calls `visit` with `root` and the nodes below it that touch [begin, end), parents first; where it returns false, the
// node's children are left out. No recursion: a stranger's file may be nested a million deep.
template <typename Visit>
void each_node(TSNode root, std::size_t begin, std::size_t end, const Visit& visit) {
  TSTreeCursor cursor = ts_tree_cursor_new(root);
  for (bool more = true; more;) {
    const TSNode node = ts_tree_cursor_current_node(&cursor);
    const bool touches = end_of(node) >= begin && begin_of(node) < end;
    if (touches && visit(node) && ts_tree_cursor_goto_first_child(&cursor)) continue;
    while (!ts_tree_cursor_goto_next_sibling(&cursor)) {
      more = ts_tree_cursor_goto_parent(&cursor);
      if (!more) break;
    }
  }
  ts_tree_cursor_delete(&cursor);
}

// What does not parse: ERROR nodes, and the tokens that the grammar expected and did not find.
struct Damage {
  int errors = 0;  // those inside others too
  int missing = 0;
  std::size_t bytes = 0;  // in ERROR nodes
  int count() const { return errors + missing; }
};
// Costs what is damaged, not what is whole; where very much is, the rest is not counted.
Damage damage_of(const Tree& tree);
// Of a text that is parsed for it alone; none where it cannot be parsed.
Damage damage_of(const Language& language, const std::string& text);
// The outermost damaged ranges, in order; a missing token is an empty one. At most `most`.
std::vector<std::pair<std::size_t, std::size_t>> damaged_ranges(const Tree& tree, std::size_t most);

}  // namespace cinnabar::daemon::syntax
