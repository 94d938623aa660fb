// The rewrites that are offered by name, as rows of data: what the user reads, what the model is told, and where it makes
// sense to offer them.
//
// Constant data; any thread.
#pragma once

#include <span>
#include <string_view>

#include "daemon/syntax/cursor.h"
#include "daemon/syntax/language.h"
#include "daemon/syntax/tree.h"

namespace cinnabar::daemon {

struct Instruction {
  std::string_view id;           // "simplify"
  std::string_view title;        // "Simplify"
  std::string_view text;         // for the model
  syntax::Words languages = {};  // LSP's identifiers; empty: all
  syntax::Words needs = {};      // one of these has to stand in the lines; empty: nothing has to
  syntax::Words nodes = {};      // one of these kinds of nodes, too, where there is a tree; empty: none has to
  bool by_place = true;          // offered without a selection, too, for the function around the cursor
};

std::span<const Instruction> instructions();

// Whether it is offered for these lines of a text in this language. Without a tree, null, their words decide.
bool is_fit(const Instruction& instruction, std::string_view language, std::string_view text, syntax::Span lines,
            const syntax::Tree* tree);

}  // namespace cinnabar::daemon
