// How variables are passed to an extracted function and given back, by the types that are written where they are declared.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/syntax/scopes.h"

namespace cinnabar::daemon {

struct TypedParameter {
  std::string declaration;    // "int count"
  bool by_reference = false;  // what the function changes of it is changed for the caller
};
// None: its type is not written down, or what is passed would not be the same thing.
std::optional<TypedParameter> parameter_in(const syntax::Tree& tree, const syntax::Variable& variable, bool changed);
// The type of one that is given back; empty where the language needs none.
std::optional<std::string> result_in(const syntax::Tree& tree, const syntax::Variable& variable);
// What stands before the new function's name and behind its parameters.
std::pair<std::string, std::string> signature_around(const syntax::Tree& tree, const syntax::Function& function,
                                                     const std::string& results);

}  // namespace cinnabar::daemon
