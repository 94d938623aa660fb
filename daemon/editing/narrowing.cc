#include "daemon/editing/narrowing.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "daemon/editing/doubts.h"

namespace cinnabar::daemon {
namespace {

using namespace syntax;
using sv = std::string_view;

constexpr sv kEqualities[] = {"===", "!==", "==", "!="};
constexpr sv kNarrowingOperators[] = {"===", "!==", "==", "!=", "instanceof", "in"};
constexpr sv kSkipping[] = {"&&", "||", "??"};
constexpr sv kDeciding[] = {"if_statement", "while_statement", "do_statement", "for_statement", "ternary_expression"};
constexpr sv kNeverNarrowed[] = {"number", "bigint", "boolean", "any"};
constexpr sv kOneType[] = {"Array", "ReadonlyArray", "Map", "Set",   "Record", "Promise",
                           "Date",  "RegExp",        "URL", "Error", "WeakMap"};
constexpr sv kNoNames[] = {"undefined", "NaN", "Infinity"};
constexpr sv kLiterals[] = {"string", "template_string", "number", "true", "false"};
// Where a literal's own type and that of all its kind come to the same.
constexpr sv kWidening[] = {"template_substitution", "subscript_expression", "member_expression"};

bool is_typescript(const Tree& tree) { return tree.language().name.starts_with("typescript"); }

bool is_child(TSNode parent, sv field, TSNode child) {
  const TSNode found = field_of(parent, field);
  return is_there(found) && ts_node_eq(found, child);
}
sv operator_of(const Tree& tree, TSNode node) {
  const TSNode given = field_of(node, "operator");
  return is_there(given) ? text_of(tree, given) : sv();
}

// `a`, or `a.b` or `a[b]` that it begins.
TSNode reference_of(TSNode name) {
  TSNode node = name;
  for (TSNode parent = ts_node_parent(node); is_there(parent); parent = ts_node_parent(node)) {
    const sv kind = kind_of(parent);
    const bool goes_on =
        kind == "non_null_expression" ||
        (contains({{"member_expression", "subscript_expression"}}, kind) && is_child(parent, "object", node));
    if (!goes_on) break;
    node = parent;
  }
  return node;
}

// Whether something is decided by what the expression is: in a condition, by an assertion, by a named comparison.
bool decides(const Tree& tree, TSNode expression) {
  bool given = false, compared = false;  // to a function; with something
  TSNode child = expression;
  for (TSNode parent = ts_node_parent(child); is_there(parent); child = parent, parent = ts_node_parent(parent)) {
    const sv kind = kind_of(parent);
    if (contains(kDeciding, kind)) return is_child(parent, "condition", child);
    if (kind == "switch_statement") return is_child(parent, "value", child);
    if (kind == "expression_statement") return given;
    if (kind == "variable_declarator") return compared;
    if (kind == "call_expression" && is_child(parent, "function", child)) return false;
    if (kind == "arguments") given = true;
    if (kind == "binary_expression") {
      const sv word = operator_of(tree, parent);
      if (contains(kSkipping, word) && is_child(parent, "left", child)) return true;
      if (!contains(kSkipping, word) && !contains(kNarrowingOperators, word)) return false;
      compared = compared || contains(kNarrowingOperators, word);
    }
    if (kind == "statement_block" || kind == "arrow_function" || kind == "template_substitution") return false;
  }
  return false;
}

sv declared_type(const Tree& tree, const Occurrence& declared) {
  const TSNode type = field_of(declared.holder, "type");
  return is_there(type) ? stripped(text_of(tree, type).substr(1)) : sv();
}

// A type that is none of several.
bool is_one_type(sv type) {
  if (type.find('|') != sv::npos || type.find("=>") != sv::npos) return false;
  return type.ends_with("[]") || type == "string" || contains(kNeverNarrowed, type) ||
         contains(kOneType, type.substr(0, type.find('<')));
}

bool is_compared(const Tree& tree, TSNode node) {
  const TSNode parent = ts_node_parent(node);
  return kind_of(parent) == "switch_statement" || kind_of(parent) == "parenthesized_expression" ||
         contains(kEqualities, operator_of(tree, parent));
}

class Loss {
 public:
  Loss(const Tree& tree, const Statements& statements)
      : tree_(tree), span_(statements.span), moved_(tree.text().substr(span_.begin, span_.end - span_.begin)) {}

  bool of_parameter(const Variable& variable) const {
    const auto declared = std::find_if(variable.occurrences.begin(), variable.occurrences.end(),
                                       [](const Occurrence& one) { return one.role == NameRole::declare; });
    if (declared == variable.occurrences.end()) return true;
    const sv type = declared_type(tree_, *declared);
    if (type.empty()) return is_constant(*declared) && is_literal(*declared) && needs_literal(variable);
    if (contains(kNeverNarrowed, type)) return false;
    return std::any_of(variable.occurrences.begin(), variable.occurrences.end(), [&](const Occurrence& one) {
      return begin_of(one.node) < span_.begin && by_occurrence(one, type);
    });
  }

  // A constant is known to the letter where it is declared, and by its kind when it comes from a function.
  bool of_result(const Variable& variable) const {
    return std::any_of(variable.occurrences.begin(), variable.occurrences.end(), [&](const Occurrence& one) {
      return one.role == NameRole::declare && is_constant(one) && !is_there(field_of(one.holder, "type")) &&
             is_literal(one);
    });
  }

  bool of_free(const std::vector<Occurrence>& free) const {
    return std::any_of(free.begin(), free.end(), [&](const Occurrence& one) {
      const sv name = text_of(tree_, one.node);
      if (begin_of(one.node) >= span_.begin || contains(kNoNames, name)) return false;
      const bool moved = std::any_of(free.begin(), free.end(), [&](const Occurrence& other) {
        return begin_of(other.node) >= span_.begin && end_of(other.node) <= span_.end &&
               text_of(tree_, other.node) == name;
      });
      if (!moved) return false;
      const TSNode reference = reference_of(one.node);
      return decides(tree_, reference) && moved_.find(text_of(tree_, reference)) != sv::npos;
    });
  }

 private:
  bool by_occurrence(const Occurrence& one, sv type) const {
    const bool single = is_one_type(type);
    const bool given =
        one.role == NameRole::declare ? is_there(field_of(one.holder, "value")) : one.role != NameRole::read;
    if (given && !single) return true;
    const TSNode reference = reference_of(one.node);
    if (!decides(tree_, reference)) return false;
    if (!single) return true;
    if (ts_node_eq(reference, one.node)) return type == "string" && is_compared(tree_, reference);
    const sv text = text_of(tree_, reference);
    return !text.ends_with(".length") && moved_.find(text) != sv::npos;
  }

  static bool is_constant(const Occurrence& declared) {
    const TSNode declaration = ts_node_parent(declared.holder);
    return kind_of(declared.holder) == "variable_declarator" && kind_of(ts_node_child(declaration, 0)) == "const";
  }
  // Of a sum or a comparison the type is no literal's, whatever stands in it.
  bool is_literal(const Occurrence& declared) const {
    const TSNode value = field_of(declared.holder, "value");
    bool found = false;
    if (!is_there(value)) return false;
    each_node(value, begin_of(value), end_of(value), [&](TSNode node) {
      found = found || contains(kLiterals, kind_of(node));
      const bool chosen = kind_of(node) == "binary_expression" && contains(kSkipping, operator_of(tree_, node));
      return !found && (chosen || kind_of(node) == "ternary_expression" || kind_of(node) == "parenthesized_expression");
    });
    return found;
  }
  bool needs_literal(const Variable& variable) const {
    return std::any_of(variable.occurrences.begin(), variable.occurrences.end(), [&](const Occurrence& one) {
      const TSNode parent = ts_node_parent(one.node);
      const bool moved = begin_of(one.node) >= span_.begin && end_of(one.node) <= span_.end;
      const bool computed = kind_of(parent) == "binary_expression" && !contains(kSkipping, operator_of(tree_, parent));
      return moved && !computed && !contains(kWidening, kind_of(parent));
    });
  }

  const Tree& tree_;
  const Span span_;
  const sv moved_;
};

}  // namespace

bool loses_narrowing(const Tree& tree, const FunctionScope& scope, const Statements& statements,
                     const Passing& passing) {
  if (!is_typescript(tree)) return false;
  const Loss loss(tree, statements);
  return std::any_of(passing.in.begin(), passing.in.end(),
                     [&](const PassedVariable& one) { return loss.of_parameter(*one.variable); }) ||
         std::any_of(passing.out.begin(), passing.out.end(),
                     [&](const PassedVariable& one) { return loss.of_result(*one.variable); }) ||
         loss.of_free(scope.free);
}

bool narrows_others(const Tree& tree, TSNode expression) {
  if (!is_typescript(tree) || !decides(tree, expression)) return false;
  const sv word = kind_of(expression) == "binary_expression" ? operator_of(tree, expression) : sv();
  if (!word.empty() && !contains(kNarrowingOperators, word) && !contains(kSkipping, word)) return false;
  TSNode function = ts_node_parent(expression);
  while (is_there(ts_node_parent(function)) && !is_function_kind(kind_of(function)))
    function = ts_node_parent(function);
  const sv behind = tree.text().substr(end_of(expression), end_of(function) - end_of(expression));
  bool found = false;
  each_node(expression, begin_of(expression), end_of(expression), [&](TSNode node) {
    const bool name = kind_of(node) == "identifier" && !contains(kNoNames, text_of(tree, node));
    found = found || (name && names(behind, text_of(tree, node)));
    return !found;
  });
  return found;
}

}  // namespace cinnabar::daemon
