// The functions of a text: where one is, its name, parameters and body. Pure; the nodes belong to the tree.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "daemon/syntax/tree.h"

namespace cinnabar::daemon::syntax {

// Nodes may be null (ts_node_is_null) where the function has no such part.
struct Function {
  TSNode node;   // the function's own
  TSNode whole;  // with decorators, `export` or a template's header around it
  TSNode name, parameters, result, body;
};

// The kinds of nodes that are functions: "function_definition", "method_declaration", "arrow_function", ...
bool is_function_kind(std::string_view kind);

Function function_of(const Tree& tree, TSNode node);

// The innermost named function around `at`, or else the outermost that begins on its line.
std::optional<Function> function_around(const Tree& tree, std::size_t at);

inline std::string_view text_of(const Tree& tree, TSNode node) {
  return tree.text().substr(begin_of(node), end_of(node) - begin_of(node));
}
inline bool is_there(TSNode node) { return !ts_node_is_null(node); }
inline TSNode field_of(TSNode node, std::string_view name) {
  return ts_node_child_by_field_name(node, name.data(), static_cast<std::uint32_t>(name.size()));
}
std::vector<TSNode> named_children(TSNode node);  // comments left out

}  // namespace cinnabar::daemon::syntax
