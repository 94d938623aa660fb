// The rules that plan.h is made of. Internal to this folder.
#pragma once

#include <optional>

#include "daemon/syntax/plan.h"

namespace cinnabar::daemon::syntax {

// A body around or beside the cursor, however its language writes it.
struct Body {
  Span inner;  // between header and closer
  int anchor = 0;
  std::string closer;  // "}" or "end"; empty where indentation ends it
  bool closer_given = false;
  bool members = false;
};

// The body whose header ends right before the cursor (only blanks and comments between), with nothing in it but those
// and, in Python, a docstring.
std::optional<Body> empty_body_at(const Tree& tree, const CursorFacts& facts);

// The stub that `inner` holds and nothing else but documentation in front of it: its bytes, with the notes above it
// that say what is to be done.
std::optional<Span> stub_in(const Language& language, std::string_view text, Span inner);

// The innermost body around the cursor that is a stub, when the cursor is on one of the stub's lines.
std::optional<std::pair<Body, Span>> stub_at(const Tree& tree, const CursorFacts& facts);

// The notes that a stub begins with: its leading comments. Empty where there is none.
std::string_view notes_of(const Language& language, std::string_view stub);

// Whether `comment` (with its punctuation) begins like a note of work to do.
bool is_mark(std::string_view comment);

Hole body_hole(const Body& body, Span bytes, HoleKind kind, const PlanOptions& options);

}  // namespace cinnabar::daemon::syntax
