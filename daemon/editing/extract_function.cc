// "Extract function": statements become a function of their own, called in their place. Offered only where it is certain
// what goes in, what comes out, and that control leaves at the end: by the function's variables (daemon/syntax/scopes.h).
#include <algorithm>
#include <array>

#include "base/text.h"
#include "daemon/editing/doubts.h"
#include "daemon/editing/extraction.h"
#include "daemon/editing/narrowing.h"
#include "daemon/editing/refactorings.h"

namespace cinnabar::daemon {
namespace {

using namespace syntax;
using sv = std::string_view;

// With one of these in them statements stay where they are.
constexpr sv kLeaving[] = {"return_statement",
                           "return_expression",
                           "yield",
                           "yield_expression",
                           "await",
                           "await_expression",
                           "goto_statement",
                           "defer_statement",
                           "try_expression",
                           "super",
                           "this",
                           "labeled_statement",
                           "go_statement",
                           "fallthrough_statement",
                           "co_return_statement",
                           "self",
                           "explicit_constructor_invocation",
                           "meta_property"};
constexpr sv kJumps[] = {"break_statement", "continue_statement", "break_expression", "continue_expression"};
constexpr sv kBreakable[] = {"for_statement",
                             "while_statement",
                             "for_in_statement",
                             "do_statement",
                             "switch_statement",
                             "enhanced_for_statement",
                             "for_range_loop",
                             "for_expression",
                             "while_expression",
                             "loop_expression",
                             "expression_switch_statement",
                             "switch_expression"};
constexpr sv kUnknownNames[] = {"super", "locals", "vars", "eval", "exec", "arguments", "globals", "recover", "dir"};

// The statements that are selected: siblings, whole.
std::optional<Statements> selected_statements(const Tree& tree, const ScopeRules& rules, Span selection) {
  const sv text = tree.text();
  std::size_t begin = selection.begin, end = std::min(selection.end, text.size());
  while (begin < end && is_blank(text.substr(begin, 1))) ++begin;
  while (end > begin && is_blank(text.substr(end - 1, 1))) --end;
  if (begin == end) return std::nullopt;
  TSNode container{};
  for (const TSNode node : path_to(tree, begin, end)) {
    if (contains(rules.containers, kind_of(node)) && begin_of(node) <= begin && end_of(node) >= end) container = node;
  }
  if (!is_there(container)) return std::nullopt;
  Statements statements{container, {}, {begin, end}};
  for (const TSNode child : named_children(container)) {
    if (end_of(child) <= begin || begin_of(child) >= end) continue;
    if (begin_of(child) < begin || end_of(child) > end) return std::nullopt;
    statements.nodes.push_back(child);
  }
  if (statements.nodes.empty()) return std::nullopt;
  // All that is selected are these, and comments between them.
  std::size_t at = begin;
  for (std::uint32_t i = 0; i < ts_node_child_count(container); ++i) {
    const TSNode child = ts_node_child(container, i);
    if (begin_of(child) < begin || end_of(child) > end) continue;
    if (!is_blank(text.substr(at, begin_of(child) - at))) return std::nullopt;
    at = end_of(child);
  }
  if (at != end) return std::nullopt;
  const std::size_t line = line_begin(text, begin);
  if (!is_blank(text.substr(line, begin - line)) || !is_blank(text.substr(end, line_end(text, end) - end)))
    return std::nullopt;
  statements.lines = {line, line_end(text, end)};
  return statements;
}

// Whether control may leave the statements other than at their end, or they mean something else elsewhere.
bool leaves(const Tree& tree, const Statements& statements, const ScopeRules& rules) {
  bool found = false;
  for (const TSNode statement : statements.nodes) {
    each_node(statement, begin_of(statement), end_of(statement), [&](TSNode node) {
      const sv kind = kind_of(node);
      if (contains(kLeaving, kind) || is_error(node) || ts_node_is_missing(node)) found = true;
      if (contains(kJumps, kind)) {
        const TSNode loop = ancestor(node, kBreakable, ts_node_parent(statements.container));
        found =
            found || !is_there(loop) || begin_of(loop) < statements.span.begin || ts_node_named_child_count(node) > 0;
      }
      if (ts_node_child_count(node) == 0 && contains(kUnknownNames, text_of(tree, node))) found = true;
      // A string of several lines would be another one with another indentation.
      if (contains(tree.language().strings, kind) && text_of(tree, node).find('\n') != sv::npos) found = true;
      return !found && !contains(rules.closures, kind);
    });
    // Closures may return, but `this` is not theirs.
    each_node(statement, begin_of(statement), end_of(statement), [&](TSNode node) {
      found = found || kind_of(node) == "this" || kind_of(node) == "super" || kind_of(node) == "meta_property";
      return !found;
    });
  }
  return found;
}

bool is_in(const Occurrence& occurrence, Span span) {
  return begin_of(occurrence.node) >= span.begin && end_of(occurrence.node) <= span.end;
}
bool reads(const Occurrence& occurrence) {
  return occurrence.role == NameRole::read || occurrence.role == NameRole::both;
}
bool writes(const Occurrence& occurrence) { return occurrence.role != NameRole::read; }

class Flow {
 public:
  Flow(const Tree& tree, const FunctionScope& scope, const Statements& statements)
      : tree_(tree), scope_(scope), statements_(statements) {
    loop_ = ancestor(statements.nodes.front(), scope.rules->loops, scope.function.node);
    guarded_ = is_there(ancestor(statements.nodes.front(), scope.rules->guards, scope.function.node));
  }

  // What the new function takes and gives; none where that is not certain.
  std::optional<Passing> passing() {
    Passing passing;
    for (const Variable& variable : scope_.variables) {
      const auto in = std::count_if(variable.occurrences.begin(), variable.occurrences.end(),
                                    [&](const Occurrence& one) { return is_in(one, statements_.span); });
      if (in == 0) continue;
      if (!add(variable, passing)) return std::nullopt;
    }
    return passing;
  }

 private:
  bool add(const Variable& variable, Passing& passing) {
    bool declared_in = false, declared_out = false, written = false, read = false, captured_in = false,
         captured_out = false, written_out = false, used_later = false;
    for (const Occurrence& one : variable.occurrences) {
      const bool in = is_in(one, statements_.span), captured = is_captured(one, variable);
      (in ? declared_in : declared_out) |= one.role == NameRole::declare;
      (in ? captured_in : captured_out) |= captured;
      if (in) {
        written |= writes(one);
        read |= reads(one);
      } else {
        written_out |= writes(one) && !is_first(one, variable);
        used_later |= reads(one) && comes_later(one);
      }
    }
    const bool only_inside = std::all_of(variable.occurrences.begin(), variable.occurrences.end(),
                                         [&](const Occurrence& one) { return is_in(one, statements_.span); });
    // What C++ declares and does not use is there for what its destructor does.
    if (only_inside && variable.occurrences.size() == 1 && tree_.language().name == "cpp") return false;
    if (only_inside) return is_given_first(variable) || !is_there(loop_) || !scope_.rules->scopes.empty();
    if (has_namesake(variable)) return false;
    const bool given = is_given_first(variable);  // before it is read
    const bool outer = declared_out && (!declared_in || scope_.rules->scopes.empty());
    const bool needed = outer && !given;
    if (captured_in && (written || written_out)) return false;
    if (captured_out && written && (outer || scope_.rules->scopes.empty())) return false;
    if (needed && !is_bound_before(variable)) return false;
    if (!outer && !given && scope_.rules->scopes.empty()) return false;
    const bool result = written && (used_later || (is_there(loop_) && needed && read && outer));
    if (written && outer && guarded_) return false;  // a handler would see how far they came
    if (result && !needed && !given && outer) return false;
    // Where names are declared, the new function would give a value to one that it does not know.
    if (written && outer && !needed && !scope_.rules->scopes.empty()) return false;
    if (needed) passing.in.push_back({&variable, written});
    if (result) passing.out.push_back({&variable, outer});
    return true;
  }

  // Read or changed by a closure that it is not declared in.
  static bool is_captured(const Occurrence& one, const Variable& variable) {
    const auto declared = std::find_if(variable.occurrences.begin(), variable.occurrences.end(),
                                       [](const Occurrence& other) { return other.role == NameRole::declare; });
    const bool own = declared != variable.occurrences.end() && is_there(declared->closure);
    return is_there(one.closure) && !own;
  }
  static bool is_first(const Occurrence& one, const Variable& variable) {
    return ts_node_eq(one.node, variable.occurrences.front().node);
  }
  bool comes_later(const Occurrence& one) const {
    return begin_of(one.node) >= statements_.span.end || (is_there(loop_) && is_inside(one.node, loop_));
  }
  // Another variable of the same name: which one is meant then depends on where a name stands.
  bool has_namesake(const Variable& variable) const {
    return std::count_if(scope_.variables.begin(), scope_.variables.end(),
                         [&](const Variable& other) { return other.name == variable.name; }) > 1;
  }

  // Whether one of the statements themselves gives it a value before anything reads it.
  bool is_given_first(const Variable& variable) const {
    for (const Occurrence& one : variable.occurrences) {
      if (!is_in(one, statements_.span)) continue;
      if (one.role == NameRole::read || one.role == NameRole::both || is_there(one.closure)) return false;
      const TSNode statement = own_statement(one.node);
      const bool simple = is_there(statement) && is_sequential(one.node, statement);
      if (!simple) return false;
      // x = x + 1
      return std::none_of(variable.occurrences.begin(), variable.occurrences.end(),
                          [&](const Occurrence& other) { return reads(other) && is_inside(other.node, statement); });
    }
    return false;
  }
  TSNode own_statement(TSNode node) const {
    for (const TSNode statement : statements_.nodes) {
      if (is_inside(node, statement)) return statement;
    }
    return TSNode{};
  }
  // Whether nothing between the node and `outer` is conditional, repeated or run later.
  bool is_sequential(TSNode node, TSNode outer) const {
    constexpr sv kPlain[] = {"expression_statement",
                             "assignment",
                             "assignment_expression",
                             "assignment_statement",
                             "pattern_list",
                             "tuple_pattern",
                             "lexical_declaration",
                             "variable_declarator",
                             "local_variable_declaration",
                             "declaration",
                             "init_declarator",
                             "pointer_declarator",
                             "reference_declarator",
                             "short_var_declaration",
                             "expression_list",
                             "var_declaration",
                             "var_spec",
                             "let_declaration",
                             "array_pattern",
                             "object_pattern",
                             "with_clause",
                             "with_item",
                             "as_pattern",
                             "as_pattern_target",
                             "parameters",
                             "formal_parameters",
                             "parameter_list",
                             "formal_parameter",
                             "required_parameter",
                             "optional_parameter",
                             "default_parameter",
                             "typed_parameter",
                             "typed_default_parameter",
                             "parameter_declaration",
                             "parameter",
                             "range_clause",
                             "function_declarator",
                             "list_splat_pattern",
                             "dictionary_splat_pattern",
                             "rest_pattern",
                             "assignment_pattern",
                             "pair_pattern",
                             "object_assignment_pattern",
                             "mut_pattern"};
    for (TSNode parent = node; is_there(parent) && !ts_node_eq(parent, outer); parent = ts_node_parent(parent)) {
      if (!ts_node_eq(parent, node) && !contains(kPlain, kind_of(parent))) return false;
    }
    const sv kind = kind_of(outer);
    return contains(kPlain, kind);
  }

  // Whether it has a value for certain when the statements begin.
  bool is_bound_before(const Variable& variable) const {
    return std::any_of(variable.occurrences.begin(), variable.occurrences.end(), [&](const Occurrence& one) {
      if (!writes(one) || begin_of(one.node) >= statements_.span.begin || is_there(one.closure)) return false;
      if (one.role == NameRole::declare && is_left_empty(one)) return false;
      // Up to what holds both: on that way everything is done once, in order.
      TSNode child = one.node, parent = ts_node_parent(child);
      while (is_there(parent) &&
             !(begin_of(parent) <= statements_.span.begin && end_of(parent) >= statements_.span.end)) {
        child = parent;
        parent = ts_node_parent(parent);
      }
      if (!is_there(parent)) return false;
      const bool container = contains(scope_.rules->containers, kind_of(parent));
      if (!container) return is_sequential(one.node, child) || ts_node_eq(child, one.node);  // a header, parameters
      return is_sequential(one.node, child);
    });
  }
  // int x;
  bool is_left_empty(const Occurrence& one) const {
    const sv kind = kind_of(one.holder), language = tree_.language().name;
    if (kind == "declaration") return true;
    return language == "java" && kind == "variable_declarator" && !is_there(field_of(one.holder, "value"));
  }

  const Tree& tree_;
  const FunctionScope& scope_;
  const Statements& statements_;
  TSNode loop_;
  bool guarded_ = false;
};

}  // namespace

std::optional<SlotPlan> plan_function_extraction(const Tree& tree, Span selection) {
  const ScopeRules* rules = scope_rules(tree.language());
  if (rules == nullptr) return std::nullopt;
  const auto statements = selected_statements(tree, *rules, selection);
  if (!statements) return std::nullopt;
  const auto function = function_around(tree, statements->span.begin);
  if (!function || !is_there(function->body) || ts_node_has_error(function->node) ||
      !is_inside(statements->nodes.front(), function->body))
    return std::nullopt;
  if (leaves(tree, *statements, *rules)) return std::nullopt;
  // Inside of another function its names would be those of that one.
  for (TSNode parent = ts_node_parent(function->node); is_there(parent); parent = ts_node_parent(parent)) {
    if (is_error(parent) || is_function_kind(kind_of(parent)) || kind_of(parent) == "lambda") return std::nullopt;
  }
  // ... and the statements have to be the function's own, not a closure's.
  const TSNode closure = ancestor(statements->nodes.front(), rules->closures, function->node);
  if (is_there(closure)) return std::nullopt;
  if (is_bound_to_place(tree, *function, *statements)) return std::nullopt;
  const auto scope = scope_of(tree, *function);
  if (!scope) return std::nullopt;
  auto passing = Flow(tree, *scope, *statements).passing();
  if (!passing || loses_narrowing(tree, *scope, *statements, *passing)) return std::nullopt;
  return extraction(tree, *scope, *statements, *passing);
}

}  // namespace cinnabar::daemon
