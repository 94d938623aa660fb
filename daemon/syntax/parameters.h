// What a function takes and gives, by its syntax. Pure; views belong to the tree.
#pragma once

#include <string_view>
#include <vector>

#include "daemon/syntax/functions.h"

namespace cinnabar::daemon::syntax {

struct Parameter {
  TSNode node;           // the whole of it
  TSNode name;           // null: a pattern
  TSNode type;           // null: none is said
  TSNode value;          // null: it has to be given
  bool is_self = false;  // Python's self and cls
};
std::vector<Parameter> parameters_of(const Tree& tree, const Function& function);

// The names of those that a caller gives, as far as they have one.
std::vector<std::string_view> parameter_names(const Tree& tree, const Function& function);

// Whether it gives something back: by its type where that is said, else by its return statements.
bool returns_value(const Tree& tree, const Function& function);
// Whether one of the kinds stands in the function's body, not in a function inside of it.
bool has_kind(TSNode body, Words kinds);
// Whether something in it does not parse.
bool has_damage(TSNode node);

}  // namespace cinnabar::daemon::syntax
