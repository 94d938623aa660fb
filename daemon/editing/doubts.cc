#include "daemon/editing/doubts.h"

#include <algorithm>
#include <cctype>

#include "base/text.h"

namespace cinnabar::daemon {
namespace {

using namespace syntax;
using sv = std::string_view;

// Declarations inside of a function that are no variables: what is moved out of it cannot name them any more.
constexpr sv kLocalDeclarations[] = {"type_alias_declaration",
                                     "interface_declaration",
                                     "enum_declaration",
                                     "record_declaration",
                                     "type_definition",
                                     "enum_specifier",
                                     "union_specifier",
                                     "alias_declaration",
                                     "namespace_alias_definition",
                                     "function_declarator",
                                     "parenthesized_declarator",
                                     "abstract_function_declarator",
                                     "use_declaration",
                                     "function_item",
                                     "const_item",
                                     "static_item",
                                     "struct_item",
                                     "enum_item",
                                     "const_declaration"};
// Ends of a Rust block that are no value.
constexpr sv kRustStatements[] = {"let_declaration", "for_expression", "while_expression", "empty_statement"};
// The function's name, and what only an asynchronous one may hold.
constexpr sv kOfThisFunction[] = {"__func__", "__FUNCTION__", "__PRETTY_FUNCTION__", "async", "await"};
constexpr sv kReflecting[] = {"exec", "eval", "locals", "vars", "globals"};

template <typename Found>
bool any_node(TSNode root, const Found& found) {
  bool is_found = false;
  each_node(root, begin_of(root), end_of(root), [&](TSNode node) {
    is_found = is_found || found(node);
    return !is_found;
  });
  return is_found;
}

bool is_c(const Tree& tree) { return tree.language().name == "c" || tree.language().name == "cpp"; }

// A macro of which nothing is known but its use: PUSH(a).
bool is_shouted(sv name) {
  return name.size() > 1 && std::none_of(name.begin(), name.end(),
                                         [](char c) { return std::islower(static_cast<unsigned char>(c)) != 0; });
}

// Whether the text uses a macro of this file whose value holds a name.
bool uses_macro_with_names(const Tree& tree, sv text) {
  return any_node(tree.root(), [&](TSNode node) {
    if (!kind_of(node).starts_with("preproc")) return false;
    const TSNode name = field_of(node, "name"), value = field_of(node, "value");
    if (!is_there(name) || !is_there(value) || !names(text, text_of(tree, name))) return false;
    const sv body = text_of(tree, value);
    return std::any_of(body.begin(), body.end(),
                       [](char c) { return std::islower(static_cast<unsigned char>(c)) != 0; });
  });
}

// println!("{} {n}")
bool names_in_braces(sv text) {
  for (std::size_t at = text.find('{'); at != sv::npos; at = text.find('{', at + 1)) {
    if (at + 1 < text.size() && is_word_byte(text[at + 1])) return true;
  }
  return false;
}

bool belongs_to_function(const Tree& tree, TSNode node) {
  const sv kind = kind_of(node), text = text_of(tree, node);
  if (ts_node_child_count(node) == 0 && contains(kOfThisFunction, text)) return true;
  if (is_c(tree) && kind == "call_expression" && is_there(field_of(node, "function")))
    return is_shouted(text_of(tree, field_of(node, "function")));
  return tree.language().name == "rust" && kind == "string_literal" && names_in_braces(text);
}

bool gives_the_result(const Statements& statements) {
  const TSNode last = statements.nodes.back();
  const auto siblings = named_children(statements.container);
  if (siblings.empty() || !ts_node_eq(siblings.back(), last)) return false;
  if (contains(kRustStatements, kind_of(last))) return false;
  if (kind_of(last) != "expression_statement") return true;
  const TSNode end = ts_node_child(last, ts_node_child_count(last) - 1);
  const sv kind = kind_of(end);
  return kind != ";" && !contains(kRustStatements, kind);
}

// Go's v, ok = a[x]; return f(); g(f()).
bool may_be_several(TSNode expression) {
  const TSNode parent = ts_node_parent(expression), above = ts_node_parent(parent);
  if (kind_of(parent) == "argument_list")
    return kind_of(expression) == "call_expression" && ts_node_named_child_count(parent) == 1;
  if (kind_of(parent) != "expression_list") return false;
  const TSNode left = field_of(above, "left");
  const bool uneven = is_there(left) && ts_node_named_child_count(left) != ts_node_named_child_count(parent);
  const bool alone = ts_node_named_child_count(parent) == 1 && kind_of(expression) == "call_expression";
  return uneven || (alone && kind_of(above) == "return_statement");
}

}  // namespace

bool names(sv text, sv word) {
  for (std::size_t at = text.find(word); at != sv::npos; at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !is_word_byte(text[at - 1])) && (end == text.size() || !is_word_byte(text[end]))) return true;
  }
  return false;
}

bool is_bound_to_place(const Tree& tree, const Function& function, const Statements& statements) {
  const sv language = tree.language().name;
  if (any_node(function.body, [](TSNode node) { return contains(kLocalDeclarations, kind_of(node)); })) return true;
  if (is_c(tree)) {
    const sv head = tree.text().substr(begin_of(function.whole), begin_of(function.body) - begin_of(function.whole));
    if (head.find("(*") != sv::npos || head.find("(&") != sv::npos || names(head, "constexpr") ||
        names(head, "consteval"))
      return true;
    const sv moved = tree.text().substr(statements.span.begin, statements.span.end - statements.span.begin);
    if (uses_macro_with_names(tree, moved)) return true;
  }
  for (TSNode parent = ts_node_parent(function.whole); is_there(parent); parent = ts_node_parent(parent)) {
    if (kind_of(parent) == "internal_module" || kind_of(parent) == "module_declaration") return true;  // TypeScript's
  }
  if (language == "rust" && gives_the_result(statements)) return true;
  return std::any_of(statements.nodes.begin(), statements.nodes.end(), [&](TSNode statement) {
    return any_node(statement, [&](TSNode node) { return belongs_to_function(tree, node); });
  });
}

bool is_more_than_value(const Tree& tree, TSNode expression) {
  const sv language = tree.language().name;
  const TSNode parent = ts_node_parent(expression);
  const sv around = text_of(tree, parent);
  if (kind_of(parent).find("unary") != sv::npos || kind_of(parent).find("reference") != sv::npos ||
      kind_of(parent) == "pointer_expression") {
    if (around.starts_with('&') || around.starts_with('*') || names(around.substr(0, 6), "delete")) return true;
  }
  if (language == "go") {
    const bool named = any_node(expression, [](TSNode node) { return kind_of(node).ends_with("identifier"); });
    return !named || may_be_several(expression);
  }
  if (language != "cpp") return false;
  // A reference to something of a value that is gone at the end of its line.
  const TSNode called = field_of(expression, "function");
  const TSNode object = is_there(called) ? field_of(called, "argument") : field_of(expression, "argument");
  if (is_there(object) && kind_of(object) != "identifier" && kind_of(object) != "this" &&
      kind_of(object) != "field_expression")
    return true;
  TSNode function = parent;
  while (is_there(ts_node_parent(function)) && kind_of(function) != "function_definition")
    function = ts_node_parent(function);
  return any_node(
      function, [](TSNode node) { return kind_of(node) == "goto_statement" || kind_of(node) == "labeled_statement"; });
}

bool may_be_named_unseen(const Tree& tree, const Function& function, sv name) {
  const sv body = text_of(tree, function.node);
  if (tree.language().name == "python")
    return std::any_of(std::begin(kReflecting), std::end(kReflecting), [&](sv word) { return names(body, word); });
  if (!is_c(tree)) return false;
  return any_node(tree.root(), [&](TSNode node) {
    const TSNode value = kind_of(node).starts_with("preproc") ? field_of(node, "value") : TSNode{};
    return is_there(value) && names(text_of(tree, value), name);
  });
}

}  // namespace cinnabar::daemon
