#include "daemon/syntax/parameters.h"

namespace cinnabar::daemon::syntax {
namespace {

// Down to the identifier inside of `const char *name[]`, `mut name`, `...name`.
TSNode innermost_name(TSNode node) {
  for (int depth = 0; is_there(node) && depth < 8; ++depth) {
    const std::string_view kind = kind_of(node);
    if (kind == "identifier") return node;
    TSNode inner = field_of(node, "declarator");
    if (!is_there(inner) &&
        (kind == "reference_declarator" || kind == "rest_pattern" || kind == "typed_parameter" ||
         kind == "list_splat_pattern" || kind == "dictionary_splat_pattern" || kind == "mut_pattern"))
      inner = ts_node_named_child_count(node) > 0 ? ts_node_named_child(node, 0) : TSNode{};
    node = inner;
  }
  return TSNode{};
}

Parameter parameter_of(TSNode node) {
  Parameter parameter{node, TSNode{}, field_of(node, "type"), field_of(node, "value")};
  for (const std::string_view field : {"name", "pattern", "declarator"}) {
    if (!is_there(parameter.name)) parameter.name = innermost_name(field_of(node, field));
  }
  if (!is_there(parameter.name)) parameter.name = innermost_name(node);
  if (kind_of(node) == "assignment_pattern") {
    parameter.name = innermost_name(field_of(node, "left"));
    parameter.value = field_of(node, "right");
  }
  return parameter;
}

}  // namespace

std::vector<Parameter> parameters_of(const Tree& tree, const Function& function) {
  std::vector<Parameter> parameters;
  if (!is_there(function.parameters)) return parameters;
  if (kind_of(function.parameters) == "identifier") return {{function.parameters, function.parameters, {}, {}}};
  for (const TSNode child : named_children(function.parameters)) {
    const std::string_view kind = kind_of(child);
    if (kind.ends_with("separator") || kind == "self_parameter" || kind == "variadic_parameter" ||
        kind == "receiver_parameter")
      continue;
    // Go: one type for several names.
    bool several = false;
    if (kind == "parameter_declaration" && is_there(field_of(child, "name"))) {
      for (const TSNode part : named_children(child)) {
        if (kind_of(part) != "identifier") continue;
        parameters.push_back({child, part, field_of(child, "type"), TSNode{}});
        several = true;
      }
    }
    if (several) continue;
    parameters.push_back(parameter_of(child));
    const std::string_view name = text_of(tree, child);
    parameters.back().is_self = parameters.size() == 1 && (name == "self" || name == "cls");
  }
  return parameters;
}

std::vector<std::string_view> parameter_names(const Tree& tree, const Function& function) {
  std::vector<std::string_view> names;
  for (const Parameter& parameter : parameters_of(tree, function)) {
    if (is_there(parameter.name) && !parameter.is_self) names.push_back(text_of(tree, parameter.name));
  }
  return names;
}

bool has_kind(TSNode body, Words kinds) {
  bool found = false;
  each_node(body, begin_of(body), end_of(body), [&](TSNode node) {
    found = found || contains(kinds, kind_of(node));
    return !found && (ts_node_eq(node, body) || !is_function_kind(kind_of(node))) && kind_of(node) != "lambda" &&
           kind_of(node) != "lambda_expression" && kind_of(node) != "func_literal" &&
           kind_of(node) != "closure_expression";
  });
  return found;
}

bool returns_value(const Tree& tree, const Function& function) {
  if (is_there(function.result)) {
    const std::string_view type = text_of(tree, function.result);
    return type != "void" && type != ": void" && type != "None" && type != "()";
  }
  if (!is_there(function.body)) return false;
  const std::string_view kind = kind_of(function.body);
  if (kind.find("block") == std::string_view::npos && kind.find("statement") == std::string_view::npos)
    return true;  // => x
  bool found = false;
  each_node(function.body, begin_of(function.body), end_of(function.body), [&](TSNode node) {
    if (kind_of(node) == "return_statement" && ts_node_named_child_count(node) > 0) found = true;
    return !found && !is_function_kind(kind_of(node)) && kind_of(node) != "lambda";
  });
  return found;
}

bool has_damage(TSNode node) { return ts_node_has_error(node); }

}  // namespace cinnabar::daemon::syntax
