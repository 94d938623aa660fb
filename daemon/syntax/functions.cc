#include "daemon/syntax/functions.h"

#include <algorithm>

#include "base/text.h"

namespace cinnabar::daemon::syntax {
namespace {

// What stands around a function and belongs to it.
constexpr std::string_view kWrappers[] = {"decorated_definition", "export_statement", "template_declaration"};

TSNode first_field(TSNode node, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    const TSNode field = field_of(node, name);
    if (is_there(field)) return field;
  }
  return TSNode{};
}

// C and C++: the name and the parameters are inside the declarator.
TSNode function_declarator(TSNode node) {
  TSNode declarator = field_of(node, "declarator");
  while (is_there(declarator) && kind_of(declarator) != "function_declarator") {
    const TSNode inner = field_of(declarator, "declarator");
    if (is_there(inner)) {
      declarator = inner;
    } else if (kind_of(declarator) == "reference_declarator" && ts_node_named_child_count(declarator) > 0) {
      declarator = ts_node_named_child(declarator, 0);
    } else {
      return TSNode{};
    }
  }
  return declarator;
}

TSNode innermost_function(const Tree& tree, std::size_t at) {
  const auto path = path_to(tree, at, at);
  for (std::size_t i = path.size(); i-- > 0;) {
    if (ts_node_is_named(path[i]) && is_function_kind(kind_of(path[i])) && is_there(function_of(tree, path[i]).name))
      return path[i];
  }
  return TSNode{};
}

}  // namespace

bool is_function_kind(std::string_view kind) {
  if (kind.ends_with("declarator") || kind.ends_with("parameters") || kind.ends_with("type")) return false;
  return kind.find("function") != std::string_view::npos || kind.find("method") != std::string_view::npos ||
         kind.find("constructor") != std::string_view::npos || kind == "lambda_literal";
}

Function function_of(const Tree&, TSNode node) {
  Function function{node, node, TSNode{}, TSNode{}, TSNode{}, TSNode{}};
  const TSNode declarator = function_declarator(node);
  if (is_there(declarator)) {
    function.name = field_of(declarator, "declarator");
    function.parameters = field_of(declarator, "parameters");
    function.result = field_of(node, "type");
  } else {
    function.name = field_of(node, "name");
    function.parameters = first_field(node, {"parameters", "parameter"});
    function.result = first_field(node, {"return_type", "result", "type"});
  }
  function.body = field_of(node, "body");
  // const f = () => ...: the variable's name, and its declaration is the whole.
  TSNode parent = ts_node_parent(node);
  if (!is_there(function.name) && is_there(parent) && kind_of(parent) == "variable_declarator") {
    function.name = field_of(parent, "name");
    function.whole = ts_node_parent(parent);
  }
  for (parent = ts_node_parent(function.whole);
       is_there(parent) &&
       std::find(std::begin(kWrappers), std::end(kWrappers), kind_of(parent)) != std::end(kWrappers);
       parent = ts_node_parent(parent))
    function.whole = parent;
  return function;
}

std::optional<Function> function_around(const Tree& tree, std::size_t at) {
  at = std::min(at, tree.text().size());
  TSNode node = innermost_function(tree, at);
  if (!is_there(node)) {  // behind the line's blanks, or behind what stands before its keyword
    const std::size_t begin = line_begin(tree.text(), at), end = line_end(tree.text(), at);
    each_node(tree.root(), begin, end, [&](TSNode found) {
      if (is_there(node)) return false;
      const bool begins_here = begin_of(found) >= begin && begin_of(found) < end;
      if (begins_here && ts_node_is_named(found) && is_function_kind(kind_of(found)) &&
          is_there(function_of(tree, found).name))
        node = found;
      return true;
    });
  }
  if (!is_there(node)) return std::nullopt;
  return function_of(tree, node);
}

std::vector<TSNode> named_children(TSNode node) {
  std::vector<TSNode> children;
  for (std::uint32_t i = 0; i < ts_node_named_child_count(node); ++i) {
    const TSNode child = ts_node_named_child(node, i);
    if (!ts_node_is_extra(child)) children.push_back(child);
  }
  return children;
}

}  // namespace cinnabar::daemon::syntax
