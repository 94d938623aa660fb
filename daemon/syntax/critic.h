// The critic: what of an answer is wrong, by structure first and filters last. Every rule is a small pure function.
//
// Offsets are bytes into the answer where nothing else is said.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "daemon/syntax/plan.h"

namespace cinnabar::daemon::syntax {

struct Verdict {
  std::string text;         // what may be inserted: the answer, or its beginning; empty when it is withheld
  bool worse = false;       // the document would parse worse with all of it, or it is no answer (is_stub_again)
  bool withheld = false;    // the same of every part of it
  bool cut = false;         // only its beginning is right
  std::vector<Span> wrong;  // of the answer as it came: what does not parse, or repeats what stands behind the hole
  Damage before, after;     // of the document with the least that could stand there, and with `text`
};

// An answer is worse when the document parses worse with it than without, or than with a placeholder in the hole
// (placeholder.h). `lines` is the index of the tree's text. Costs a parse for the answer, and for one with which
// anything is damaged a few more.
Verdict judge(const Tree& document, const LineIndex& lines, const Hole& hole, std::string_view answer);

// Without blanks at its end; but an answer of several lines gets a line end and `indentation` in front of a brace that
// stands on the hole's own line.
std::string closed_off(std::string_view answer, const Hole& hole, std::string_view behind,
                       std::string_view indentation);

// The answer up to where it only repeats what stands behind the hole: the rest of the line, or the lines below. At
// least eight bytes have to come again, or a whole line.
std::string_view without_repetition(std::string_view answer, std::string_view behind);

// An answer to a stub or a mark that only says once more that something is to be written.
bool is_stub_again(const Language& language, const Hole& hole, std::string_view answer);

// Whether a document with the damage `after` is worse off than one with `before`, an answer of `bytes` later.
bool is_worse(const Damage& after, const Damage& before, std::size_t bytes);

}  // namespace cinnabar::daemon::syntax
