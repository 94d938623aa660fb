// Between finding out what an extracted function takes and gives, and writing it down in its language.
#pragma once

#include <optional>
#include <vector>

#include "daemon/editing/slot_edit.h"
#include "daemon/syntax/scopes.h"

namespace cinnabar::daemon {

struct Statements {
  TSNode container;
  std::vector<TSNode> nodes;
  syntax::Span span;        // from the first one's begin to the last one's end
  syntax::Span lines = {};  // from their first line's begin to their last one's end
};

struct PassedVariable {
  const syntax::Variable* variable;
  bool flag;  // of what goes in: the statements change it; of what comes out: it is declared outside
};
struct Passing {
  std::vector<PassedVariable> in, out;
};

// None where the language cannot say it with what is known of the types.
std::optional<SlotPlan> extraction(const syntax::Tree& tree, const syntax::FunctionScope& scope,
                                   const Statements& statements, const Passing& passing);

}  // namespace cinnabar::daemon
