// What stands around a cursor: the facts that a plan is made from. They come from the tree's tokens rather than from
// its larger nodes, because tokens survive where the text is broken, and at a cursor it usually is.
//
// Pure functions of (tree, cursor); the views borrow the tree's text.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "daemon/syntax/tree.h"

namespace cinnabar::daemon::syntax {

struct Span {
  std::size_t begin = 0, end = 0;
  friend bool operator==(const Span&, const Span&) = default;
};

struct Token {
  Span span;
  std::string_view kind;    // as the grammar calls it; a whole string is one token
  std::string_view parent;  // kind of the node it stands in
};

// A bracket or word that is open at the cursor.
struct Opener {
  Span span;
  const Pair* pair = nullptr;
  std::string_view parent;
  bool block = false;    // holds statements or members
  bool members = false;  // holds members
  int anchor = 0;        // indentation (columns) of the statement it belongs to
  // What closes it behind the cursor. A closer whose line is indented less than the statement belongs to something
  // outside, whatever the grammar makes of it: then there is none.
  std::optional<Span> closer;
};

struct CursorFacts {
  std::string_view text;
  std::size_t cursor = 0;
  Span line;                       // without its line end
  std::string_view before, after;  // the line, cut at the cursor
  std::optional<Span> comment, string;
  std::vector<Opener> open;             // the outermost first
  std::optional<Token> previous, next;  // around the cursor, comments left out
  // The first line behind the cursor's that is not blank: its begin, or the text's size.
  std::size_t next_line = 0;

  bool blank_before() const { return stripped_empty(before); }
  bool blank_after() const { return stripped_empty(after); }
  // Columns; of the text's end: -1.
  int next_line_indent() const;

 private:
  static bool stripped_empty(std::string_view part) {
    return part.find_first_not_of(" \t\r") == std::string_view::npos;
  }
};

// `cursor` is clamped to the text.
CursorFacts facts_at(const Tree& tree, std::size_t cursor);
// The same of a text without a tree: lines only.
CursorFacts facts_at(std::string_view text, std::size_t cursor);

// The pair that a token `kind` in a node `parent` opens; null when it opens none ("if" behind a Ruby statement).
const Pair* opened_pair(const Language& language, std::string_view kind, std::string_view parent);

// The last token that ends at or before `at`, and the first that begins at or behind it; comments left out.
std::optional<Token> token_before(const Tree& tree, std::size_t at);
std::optional<Token> token_behind(const Tree& tree, std::size_t at);

}  // namespace cinnabar::daemon::syntax
