// The variables of a function: where each is declared, read and written, by rules that are rows of data. Conservative:
// what the rules do not know makes the function unknown, not wrong.
//
// Pure; nodes and views belong to the tree.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "daemon/syntax/functions.h"

namespace cinnabar::daemon::syntax {

enum class NameRole : std::uint8_t {
  none,  // no variable: a member's name, a label
  read,
  write,
  both,     // x += 1
  declare,  // and given a value, where the language has no other way
};

struct RoleRule {
  std::string_view parent, field;  // field "": any child
  NameRole role;
};

// What scopes are made of in one language.
struct ScopeRules {
  Words names;                        // kinds of nodes that name a variable
  std::span<const RoleRule> roles;    // the first that fits; a name without one is read
  std::span<const RoleRule> through;  // patterns: the name's role is that of the pattern (NameRole is not used)
  Words scopes;                       // a declaration holds in the innermost of these; empty: in the function
  Words closures;                     // functions inside of the function
  Words containers;                   // hold statements
  Words loops;
  Words guards;    // what stops an exception, or what runs a part of the function later
  Words hoisted;   // parents of names that hold in all of their scope
  Words unknown;   // with one of these in it a function's variables are not known for certain
  Words builtins;  // names that the language gives a meaning without a declaration, and that people use
};

// Null: the language has no rules.
const ScopeRules* scope_rules(const Language& language);

struct Occurrence {
  TSNode node;
  NameRole role = NameRole::read;
  TSNode holder;   // of a declaration: the node of the rule that says so
  TSNode closure;  // the innermost around it inside the function; null: none
};

struct Variable {
  std::string_view name;
  std::vector<Occurrence> occurrences;  // in the order of the text
};

// A longer function is unknown: a menu that asks about it has to come at once.
inline constexpr std::size_t kLongestFunction = 32 << 10;  // bytes

// None where something in the function is unknown. Names that are declared outside of the function are in no variable;
// free_names() has them.
struct FunctionScope {
  const ScopeRules* rules = nullptr;
  Function function;
  std::vector<Variable> variables;
  std::vector<Occurrence> free;
};
std::optional<FunctionScope> scope_of(const Tree& tree, const Function& function);

// All names that stand anywhere in the text, whatever they are, and those that the language has: what a new one may not be.
std::vector<std::string_view> names_in(const Tree& tree);

bool is_inside(TSNode node, TSNode outer);
// The innermost ancestor of one of the kinds, below `stop`; null: none.
TSNode ancestor(TSNode node, Words kinds, TSNode stop);

}  // namespace cinnabar::daemon::syntax
