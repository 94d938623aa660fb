// An answer fitted into its place: the blanks at its ends, its indentation, and what stands behind the cursor on its
// line already. By the text alone, so that it serves languages without a grammar, and files that do not parse.
//
// Pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/text.h"
#include "daemon/syntax/plan.h"

namespace cinnabar::daemon {

// What an answer is fitted into. Borrows all of it.
struct Fitting {
  std::string_view before, behind;             // the text in front of the answer and behind it
  const syntax::Language* language = nullptr;  // null: without a grammar
  std::string_view language_id;                // LSP's, where `language` is null
  const syntax::Hole* hole = nullptr;          // what the plan says of the place; null: unknown
  std::optional<IndentStyle> formatting;       // what the editor says of the file

  std::string_view line_before() const { return before.substr(line_begin(before, before.size())); }
  std::string_view rest() const { return behind.substr(0, line_end(behind, 0)); }  // of the cursor's line
  bool in_text() const;  // a string's or comment's: blanks and brackets are its author's
};

// All of the rules below, in their order. `answer` has line feeds only. Empty: nothing is left that fits.
std::string fitted(std::string_view answer, const Fitting& place);

// Without blanks at its begin where they stand already, or where none belong: behind an opener or a dot, on an
// indented line. Lines below follow a first line that moves.
std::string with_leading_blanks_of(std::string_view answer, const Fitting& place);

// The part of the answer that does not repeat, close or comment out what stands behind the cursor on its line. Where
// that is more than closers, an answer is one line.
std::string_view within_line(std::string_view answer, const Fitting& place);

// Without blanks at the ends of its lines; at its own end they stay where they part it from what follows.
std::string without_trailing_blanks(std::string_view answer, const Fitting& place);

}  // namespace cinnabar::daemon
