// "Extract variable": an expression gets a name on a line of its own, in front of its statement. Offered only where
// nothing is evaluated more or less often by that, or in another order.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "daemon/editing/doubts.h"
#include "daemon/editing/narrowing.h"
#include "daemon/editing/refactorings.h"
#include "daemon/syntax/functions.h"
#include "daemon/syntax/parameters.h"
#include "daemon/syntax/scopes.h"

namespace cinnabar::daemon {
namespace {

using namespace syntax;
using sv = std::string_view;

struct DeclarationRow {
  sv language, before, behind;  // around "name = expression"
  sv given = " = ";
};
constexpr DeclarationRow kDeclarations[] = {
    {"python", "", ""},
    {"javascript", "const ", ";"},
    {"typescript", "const ", ";"},
    {"typescriptreact", "const ", ";"},
    {"java", "var ", ";"},
    {"go", "", "", " := "},
    {"rust", "let ", ";"},
    {"cpp", "auto&& ", ";"},
    {"c", "int ", ";"},
};

// Expressions worth a name. Of C a type has to be known, so there are only those whose type is int.
constexpr sv kValues[] = {"call",
                          "binary_operator",
                          "subscript",
                          "attribute",
                          "comparison_operator",
                          "not_operator",
                          "unary_operator",
                          "list",
                          "dictionary",
                          "tuple",
                          "set",
                          "string",
                          "concatenated_string",
                          "parenthesized_expression",
                          "integer",
                          "float",
                          "call_expression",
                          "binary_expression",
                          "member_expression",
                          "subscript_expression",
                          "template_string",
                          "array",
                          "number",
                          "new_expression",
                          "method_invocation",
                          "object_creation_expression",
                          "array_access",
                          "field_access",
                          "string_literal",
                          "decimal_integer_literal",
                          "selector_expression",
                          "index_expression",
                          "interpreted_string_literal",
                          "int_literal",
                          "integer_literal",
                          "float_literal",
                          "number_literal",
                          "composite_literal",
                          "field_expression",
                          "unary_expression",
                          "list_comprehension",
                          "dictionary_comprehension",
                          "set_comprehension",
                          "slice_expression"};
constexpr sv kRustValues[] = {"binary_expression", "call_expression", "integer_literal", "float_literal",
                              "string_literal"};
constexpr sv kComparing[] = {"==", "!=", "<", ">", "<=", ">=", "&&", "||"};

// What an expression may stand in, up to its statement, and still be evaluated exactly once.
constexpr sv kOnce[] = {"parenthesized_expression",
                        "binary_operator",
                        "binary_expression",
                        "comparison_operator",
                        "unary_operator",
                        "not_operator",
                        "unary_expression",
                        "argument_list",
                        "arguments",
                        "call",
                        "call_expression",
                        "method_invocation",
                        "keyword_argument",
                        "attribute",
                        "subscript",
                        "list",
                        "tuple",
                        "set",
                        "dictionary",
                        "pair",
                        "array",
                        "object",
                        "member_expression",
                        "subscript_expression",
                        "field_access",
                        "array_access",
                        "selector_expression",
                        "index_expression",
                        "field_expression",
                        "expression_list",
                        "slice",
                        "await",
                        "await_expression",
                        "new_expression",
                        "object_creation_expression",
                        "interpolation",
                        "string",
                        "template_substitution",
                        "template_string",
                        "assignment",
                        "assignment_expression",
                        "assignment_statement",
                        "augmented_assignment",
                        "augmented_assignment_expression",
                        "compound_assignment_expr",
                        "variable_declarator",
                        "init_declarator",
                        "literal_value",
                        "literal_element",
                        "composite_literal",
                        "array_initializer",
                        "initializer_list",
                        "cast_expression",
                        "subscript_argument_list",
                        "type_cast_expression",
                        "element_reference",
                        "array_expression",
                        "tuple_expression"};
constexpr sv kStatements[] = {"expression_statement",
                              "return_statement",
                              "raise_statement",
                              "throw_statement",
                              "assignment_statement",
                              "lexical_declaration",
                              "local_variable_declaration",
                              "declaration",
                              "short_var_declaration",
                              "let_declaration",
                              "return_expression",
                              "augmented_assignment"};
// Of these only the part that is evaluated once, before all else.
struct HeaderRow {
  sv kind, field;
};
constexpr HeaderRow kHeaders[] = {{"if_statement", "condition"},      {"for_statement", "right"},
                                  {"for_in_statement", "right"},      {"enhanced_for_statement", "value"},
                                  {"match_statement", "subject"},     {"switch_statement", "value"},
                                  {"if_expression", "condition"},     {"for_expression", "value"},
                                  {"switch_expression", "condition"}, {"match_expression", "value"}};
constexpr sv kActing[] = {"call",
                          "call_expression",
                          "method_invocation",
                          "new_expression",
                          "object_creation_expression",
                          "await",
                          "await_expression",
                          "yield",
                          "yield_expression",
                          "assignment_expression",
                          "augmented_assignment_expression",
                          "update_expression",
                          "named_expression",
                          "macro_invocation",
                          "unary_expression_update",
                          "composite_call",
                          "receive_expression"};
constexpr sv kRunsLater[] = {"yield",
                             "yield_expression",
                             "lambda",
                             "lambda_expression",
                             "arrow_function",
                             "func_literal",
                             "closure_expression",
                             "function_expression",
                             "named_expression",
                             "assignment_expression",
                             "augmented_assignment_expression",
                             "update_expression",
                             "try_expression",
                             "macro_invocation"};

bool is_field(TSNode parent, sv field, TSNode child) {
  const TSNode found = field_of(parent, field);
  return is_there(found) && ts_node_eq(found, child);
}

bool has_any(TSNode root, Words kinds) {
  bool found = false;
  each_node(root, begin_of(root), end_of(root), [&](TSNode node) {
    found = found || contains(kinds, kind_of(node));
    return !found;
  });
  return found;
}

// The second side of `a and b` is not always evaluated; of `a < b < c` not the third.
bool may_be_skipped(const Tree& tree, TSNode parent, TSNode child) {
  const TSNode given = field_of(parent, "operator");
  const sv word = is_there(given) ? text_of(tree, given) : sv();
  if ((word == "&&" || word == "||" || word == "??") && is_field(parent, "right", child)) return true;
  if (kind_of(parent) == "comparison_operator" && ts_node_named_child_count(parent) > 2)
    return !ts_node_eq(ts_node_named_child(parent, 0), child);
  // a?.b(child)
  bool optional = false;
  each_node(parent, begin_of(parent), begin_of(child) + 1, [&](TSNode node) {
    optional = optional || kind_of(node) == "optional_chain";
    return !optional;
  });
  return optional;
}

// What is written to, or what a name is given to.
bool is_target(TSNode parent, TSNode child) {
  for (const sv field : {"left", "name", "declarator", "pattern", "key", "type", "attribute", "property", "field"}) {
    const bool by_assignment = field != "left" || kind_of(parent).find("assignment") != sv::npos ||
                               kind_of(parent).find("declaration") != sv::npos;
    if (by_assignment && is_field(parent, field, child)) return true;
  }
  const sv kind = kind_of(parent);
  // The function that is called: `a.b` of a.b() is no value of its own.
  return (kind == "call" || kind == "call_expression") && is_field(parent, "function", child);
}

TSNode selected_expression(const Tree& tree, Span selection) {
  const sv text = tree.text();
  std::size_t begin = selection.begin, end = std::min(selection.end, text.size());
  while (begin < end && is_blank(text.substr(begin, 1))) ++begin;
  while (end > begin && is_blank(text.substr(end - 1, 1))) --end;
  if (begin == end) return TSNode{};
  const auto path = path_to(tree, begin, end);
  for (const TSNode node : path) {  // the outermost of those that span just this
    if (begin_of(node) == begin && end_of(node) == end && ts_node_is_named(node) && contains(kValues, kind_of(node)))
      return node;
  }
  return TSNode{};
}

// The statement in whose place the variable goes; null: none is certain.
TSNode statement_of(const Tree& tree, const ScopeRules& rules, TSNode expression) {
  TSNode child = expression;
  for (TSNode parent = ts_node_parent(child); is_there(parent); child = parent, parent = ts_node_parent(parent)) {
    const sv kind = kind_of(parent);
    if (contains(rules.containers, kind) || kind == "module" || kind == "program") {
      const bool is_statement = contains(kStatements, kind_of(child)) ||
                                std::any_of(std::begin(kHeaders), std::end(kHeaders),
                                            [&](const HeaderRow& row) { return row.kind == kind_of(child); });
      return is_statement && !ts_node_eq(child, expression) ? child : TSNode{};
    }
    if (is_target(parent, child) || may_be_skipped(tree, parent, child)) return TSNode{};
    const bool header = std::any_of(std::begin(kHeaders), std::end(kHeaders), [&](const HeaderRow& row) {
      return row.kind == kind && is_field(parent, row.field, child);
    });
    if (!header && !contains(kOnce, kind) && !contains(kStatements, kind)) return TSNode{};
  }
  return TSNode{};
}

// Whether the statement is nothing but the expression, or gives several names in turn.
bool is_no_place(const Tree& tree, TSNode statement, TSNode expression) {
  if (is_there(field_of(statement, "initializer"))) return true;  // if x := f(); x > 0
  int declarators = 0;
  for (const TSNode child : named_children(statement)) declarators += kind_of(child).ends_with("declarator") ? 1 : 0;
  const TSNode around = ts_node_parent(ts_node_parent(statement));
  if (declarators > 1 || (is_there(around) && kind_of(around) == "class_definition")) return true;
  if (kind_of(ts_node_parent(statement)) == "block" &&
      kind_of(ts_node_parent(ts_node_parent(statement))) == "class_definition")
    return true;
  return stripped(tree.text().substr(end_of(expression), end_of(statement) - end_of(expression))).size() <= 1 &&
         begin_of(statement) == begin_of(expression);
}

// Whether a line ends in it where none of its own brackets is open: by itself that would end the statement.
bool breaks_by_itself(sv value) {
  int depth = 0;
  for (const char c : value) {
    depth += sv("([{").find(c) != sv::npos ? 1 : sv(")]}").find(c) != sv::npos ? -1 : 0;
    if (c == '\n' && depth == 0) return true;
  }
  return false;
}

// Whether something that acts is done in the statement before the expression's turn.
bool acts_before(TSNode statement, TSNode expression) {
  bool found = false;
  each_node(statement, begin_of(statement), begin_of(expression), [&](TSNode node) {
    if (contains(kActing, kind_of(node)) && end_of(node) <= begin_of(expression)) found = true;
    if (kind_of(node) == "inc_statement") found = true;
    return !found;
  });
  return found;
}

bool is_certain_of_type(const Tree& tree, TSNode expression) {
  const sv language = tree.language().name;
  if (language == "rust") {
    if (!contains(kRustValues, kind_of(expression)) || text_of(tree, expression).find('&') != sv::npos) return false;
    const TSNode called = field_of(expression, "function");
    return !is_there(called) || kind_of(called) == "identifier" || kind_of(called) == "scoped_identifier";
  }
  if (language == "go") return kind_of(expression) != "int_literal";  // an untyped constant gets a type by a name
  if (language != "c") return true;
  const TSNode given = field_of(expression, "operator");
  return is_there(given) && kind_of(expression) == "binary_expression" && contains(kComparing, text_of(tree, given));
}

}  // namespace

std::optional<SlotPlan> plan_variable(const Tree& tree, Span selection) {
  const ScopeRules* rules = scope_rules(tree.language());
  const auto* row = std::find_if(std::begin(kDeclarations), std::end(kDeclarations),
                                 [&](const DeclarationRow& one) { return one.language == tree.language().name; });
  if (rules == nullptr || row == std::end(kDeclarations)) return std::nullopt;
  const TSNode expression = selected_expression(tree, selection);
  if (!is_there(expression) || has_damage(expression) || has_any(expression, kRunsLater) ||
      !is_certain_of_type(tree, expression) || is_more_than_value(tree, expression) || narrows_others(tree, expression))
    return std::nullopt;
  const TSNode statement = statement_of(tree, *rules, expression);
  if (!is_there(statement) || has_damage(statement) || acts_before(statement, expression) ||
      is_no_place(tree, statement, expression))
    return std::nullopt;
  const sv text = tree.text();
  const std::size_t line = line_begin(text, begin_of(statement));
  const sv indent = text.substr(line, begin_of(statement) - line);
  if (!is_blank(indent)) return std::nullopt;
  std::string value(text_of(tree, expression));
  if (breaks_by_itself(value) || (kind_of(expression) == "tuple" && !value.starts_with('('))) return std::nullopt;
  if (kind_of(expression) == "parenthesized_expression") {
    // `(a + b)` needs no brackets on a line of its own, and none where it stood; those of `if (a)` belong to the `if`.
    if (!contains(kOnce, kind_of(ts_node_parent(expression)))) return std::nullopt;
    const TSNode inner = ts_node_named_child(expression, 0);
    if (contains(kValues, kind_of(inner)) && !breaks_by_itself(text_of(tree, inner))) value = text_of(tree, inner);
  }
  std::vector<std::string> taken;
  for (const sv name : names_in(tree)) taken.emplace_back(name);
  SlotPlan plan;
  Slot slot = name_slot(taken, unused("value", taken));
  slot.question = about_code("Suggest a name for a variable that holds `" + value + "` in this code.", tree.language(),
                             text.substr(line, end_of(statement) - line));
  slot.answer = "A good name is `";
  plan.slots.push_back(std::move(slot));
  plan.changes.push_back({line,
                          line,
                          {{std::string(indent) + std::string(row->before), 0},
                           {std::string(row->given) + value + std::string(row->behind) + "\n"}}});
  plan.changes.push_back({begin_of(expression), end_of(expression), {{"", 0}}});
  plan.footprint = {line, end_of(statement)};
  return plan;
}

}  // namespace cinnabar::daemon
