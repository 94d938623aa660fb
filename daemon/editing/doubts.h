// What may change a program although its variables are known (daemon/syntax/scopes.h): uses that no node says, values whose
// place counts, declarations that stay behind. A refactoring with such a doubt is not offered.
//
// Pure functions; nodes belong to the tree.
#pragma once

#include <string_view>

#include "daemon/editing/extraction.h"
#include "daemon/syntax/scopes.h"
#include "daemon/syntax/tree.h"

namespace cinnabar::daemon {

// Whether the statements may mean something else in a function of their own: they give the function's result (Rust), name
// what is declared in the function and is no variable, or use names through a macro or a format string.
bool is_bound_to_place(const syntax::Tree& tree, const syntax::Function& function, const Statements& statements);

// Whether a variable is not the same as the expression: where its address or its place is taken, where it stands for several
// values, or where its type comes from what is around it.
bool is_more_than_value(const syntax::Tree& tree, TSNode expression);

// Whether `word` stands in the text as a word of its own.
bool names(std::string_view text, std::string_view word);

// Whether a variable of the function may be used where no node names it.
bool may_be_named_unseen(const syntax::Tree& tree, const syntax::Function& function, std::string_view name);

}  // namespace cinnabar::daemon
