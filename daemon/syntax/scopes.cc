#include "daemon/syntax/scopes.h"

#include <algorithm>
#include <string>

#include "base/text.h"

namespace cinnabar::daemon::syntax {
namespace {

bool is_same(TSNode a, TSNode b) { return ts_node_eq(a, b); }

bool is_in_field(TSNode parent, std::string_view field, TSNode child) {
  if (field.empty()) return true;
  for (std::uint32_t i = 0; i < ts_node_child_count(parent); ++i) {
    const char* name = ts_node_field_name_for_child(parent, i);
    if (name != nullptr && name == field && is_same(ts_node_child(parent, i), child)) return true;
  }
  return false;
}

const RoleRule* rule_for(std::span<const RoleRule> rules, TSNode parent, TSNode child) {
  for (const RoleRule& rule : rules) {
    if (kind_of(parent) == rule.parent && is_in_field(parent, rule.field, child)) return &rule;
  }
  return nullptr;
}

// "=" is a rule of its own where "+=" is the same kind of node; ":=" declares where "=" writes.
NameRole by_operator(const Tree& tree, TSNode holder, NameRole role) {
  if (role != NameRole::write) return role;
  const TSNode given = field_of(holder, "operator");
  return is_there(given) && text_of(tree, given) != "=" ? NameRole::both : role;
}

Occurrence occurrence_of(const Tree& tree, const ScopeRules& rules, TSNode node) {
  Occurrence found{node, NameRole::read, node, TSNode{}};
  TSNode child = node;
  for (TSNode parent = ts_node_parent(node); is_there(parent); parent = ts_node_parent(parent)) {
    if (const RoleRule* rule = rule_for(rules.roles, parent, child)) {
      found.role = by_operator(tree, parent, rule->role);
      found.holder = parent;
      return found;
    }
    if (rule_for(rules.through, parent, child) == nullptr) return found;
    child = parent;
  }
  return found;
}

// Where a declaration holds, and from which byte on.
struct Holding {
  TSNode scope;
  std::size_t from = 0;
};
Holding holding_of(const ScopeRules& rules, const Occurrence& declared, TSNode function) {
  TSNode scope = ancestor(declared.node, rules.closures, function);
  const bool names_closure = is_there(scope) && is_same(field_of(scope, "name"), declared.node);
  if (names_closure) scope = ancestor(scope, rules.closures, function);
  if (!is_there(scope)) scope = function;
  if (rules.scopes.empty()) return {scope, 0};
  const TSNode block = ancestor(declared.node, rules.scopes, function);
  const bool inside = is_there(block) && is_inside(block, scope) && !names_closure;
  const TSNode held = inside ? block : scope;
  if (contains(rules.hoisted, kind_of(declared.holder))) return {held, begin_of(held)};
  // What a declaration is given is read before it holds: let x = x + 1.
  constexpr std::string_view kGiven[] = {"let_declaration", "short_var_declaration", "var_spec", "variable_declarator",
                                         "init_declarator"};
  return {held, end_of(contains(kGiven, kind_of(declared.holder)) ? declared.holder : declared.node)};
}

struct Declared {
  Holding extent;
  std::size_t variable;
};

// The variable that a name means: of the innermost scope, declared last before it.
std::optional<std::size_t> resolved(const std::vector<Declared>& declared, const std::vector<Variable>& variables,
                                    std::string_view name, TSNode node) {
  const Declared* best = nullptr;
  for (const Declared& one : declared) {
    if (variables[one.variable].name != name || !is_inside(node, one.extent.scope)) continue;
    if (begin_of(node) < one.extent.from && !is_same(node, variables[one.variable].occurrences.front().node)) continue;
    const bool inner = best == nullptr || is_inside(one.extent.scope, best->extent.scope);
    if (inner) best = &one;
  }
  if (best == nullptr) return std::nullopt;
  return best->variable;
}

}  // namespace

bool is_inside(TSNode node, TSNode outer) { return begin_of(node) >= begin_of(outer) && end_of(node) <= end_of(outer); }

TSNode ancestor(TSNode node, Words kinds, TSNode stop) {
  for (TSNode parent = ts_node_parent(node); is_there(parent) && !is_same(parent, stop);
       parent = ts_node_parent(parent)) {
    if (contains(kinds, kind_of(parent))) return parent;
  }
  return TSNode{};
}

std::optional<FunctionScope> scope_of(const Tree& tree, const Function& function) {
  const ScopeRules* rules = scope_rules(tree.language());
  if (rules == nullptr || !is_there(function.body) ||
      end_of(function.node) - begin_of(function.node) > kLongestFunction)
    return std::nullopt;
  FunctionScope scope{rules, function, {}, {}};
  std::vector<Occurrence> all;
  bool known = true;
  each_node(function.node, begin_of(function.node), end_of(function.node), [&](TSNode node) {
    if (is_error(node) || ts_node_is_missing(node) || contains(rules->unknown, kind_of(node))) known = false;
    if (!known) return false;
    if (!ts_node_is_named(node) || !contains(rules->names, kind_of(node)) || is_same(node, function.name)) return true;
    Occurrence found = occurrence_of(tree, *rules, node);
    found.closure = ancestor(node, rules->closures, function.node);
    if (is_there(found.closure) && is_same(field_of(found.closure, "name"), node))  // a closure's name is not its own
      found.closure = ancestor(found.closure, rules->closures, function.node);
    if (found.role != NameRole::none) all.push_back(found);
    return true;
  });
  if (!known) return std::nullopt;
  std::vector<Declared> declared;
  for (const Occurrence& one : all) {
    if (one.role != NameRole::declare) continue;
    const std::string_view name = text_of(tree, one.node);
    const Holding extent = holding_of(*rules, one, function.node);
    // Without blocks all declarations of a name in a function are one variable.
    const auto known_one = std::find_if(declared.begin(), declared.end(), [&](const Declared& other) {
      return rules->scopes.empty() && scope.variables[other.variable].name == name &&
             is_same(other.extent.scope, extent.scope);
    });
    if (known_one != declared.end()) continue;
    declared.push_back({extent, scope.variables.size()});
    scope.variables.push_back({name, {one}});
  }
  for (const Occurrence& one : all) {
    const auto variable = resolved(declared, scope.variables, text_of(tree, one.node), one.node);
    if (!variable) {
      scope.free.push_back(one);
    } else if (!is_same(scope.variables[*variable].occurrences.front().node, one.node)) {
      scope.variables[*variable].occurrences.push_back(one);
    }
  }
  for (Variable& variable : scope.variables)
    std::sort(variable.occurrences.begin(), variable.occurrences.end(),
              [](const Occurrence& a, const Occurrence& b) { return begin_of(a.node) < begin_of(b.node); });
  return scope;
}

std::vector<std::string_view> names_in(const Tree& tree) {
  std::vector<std::string_view> names;
  each_node(tree.root(), 0, tree.text().size(), [&](TSNode node) {
    if (ts_node_is_named(node) && ts_node_child_count(node) == 0 &&
        kind_of(node).find("identifier") != std::string_view::npos)
      names.push_back(text_of(tree, node));
    return true;
  });
  if (const ScopeRules* rules = scope_rules(tree.language()); rules != nullptr)
    names.insert(names.end(), rules->builtins.begin(), rules->builtins.end());
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace cinnabar::daemon::syntax
