// What TypeScript knows of a name at a place beyond its declared type (behind `if (a === null) return;` it is no null), and
// what a refactoring would lose of that. Conservative: where it may be lost, it is.
//
// Pure functions; any thread. Of other languages nothing is lost.
#pragma once

#include "daemon/editing/extraction.h"
#include "daemon/syntax/scopes.h"
#include "daemon/syntax/tree.h"

namespace cinnabar::daemon {

// By statements that become a function of their own, where a parameter has its declared type again.
bool loses_narrowing(const syntax::Tree& tree, const syntax::FunctionScope& scope, const Statements& statements,
                     const Passing& passing);

// By a condition that gets a name: what it says of other names no longer holds where it is decided.
bool narrows_others(const syntax::Tree& tree, TSNode expression);

}  // namespace cinnabar::daemon
