#include "daemon/workspace/context/definitions.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "daemon/syntax/functions.h"

namespace cinnabar::daemon::context {
namespace {

using syntax::begin_of;
using syntax::end_of;
using syntax::field_of;
using syntax::kind_of;
using syntax::text_of;

constexpr std::size_t kHeadBytes = 400;
constexpr std::size_t kWholeType = 200;
constexpr std::size_t kNodes = 400'000;  // bounds the walk through one file

constexpr std::array<std::string_view, 13> kFunctions = {
    "function_definition", "function_declaration", "function_item",    "function_signature_item", "method_definition",
    "method_declaration",  "method_spec",          "method_signature", "constructor_declaration", "method",
    "singleton_method",    "macro_definition",     "method_elem"};
constexpr std::array<std::string_view, 25> kTypes = {"class_definition",
                                                     "class_declaration",
                                                     "abstract_class_declaration",
                                                     "interface_declaration",
                                                     "enum_declaration",
                                                     "record_declaration",
                                                     "type_alias_declaration",
                                                     "struct_specifier",
                                                     "class_specifier",
                                                     "enum_specifier",
                                                     "union_specifier",
                                                     "type_definition",
                                                     "alias_declaration",
                                                     "type_spec",
                                                     "type_alias",
                                                     "struct_item",
                                                     "enum_item",
                                                     "trait_item",
                                                     "type_item",
                                                     "struct_declaration",
                                                     "trait_declaration",
                                                     "object_declaration",
                                                     "class",
                                                     "module",
                                                     "annotation_type_declaration"};

// At most `most` bytes, cut at a line's end where it has one.
std::string_view shortened(std::string_view text, std::size_t most) {
  text = right_stripped(text);
  if (text.size() <= most) return text;
  text = text.substr(0, most);
  const std::size_t newline = text.rfind('\n');
  return right_stripped(newline == std::string_view::npos ? std::string_view() : text.substr(0, newline));
}

// Of a function or type; a Go type's is what it names.
TSNode body_of(TSNode node) {
  const TSNode body = field_of(node, "body");
  if (!ts_node_is_null(body) || kind_of(node) != "type_spec") return body;
  const TSNode type = field_of(node, "type");
  const bool has_members = kind_of(type) == "struct_type" || kind_of(type) == "interface_type";
  return has_members ? ts_node_named_child(type, 0) : TSNode{};
}

// All in front of the body; without one, the node.
std::string_view signature(const syntax::Tree& tree, TSNode node) {
  const TSNode body = body_of(node);
  const std::string_view whole = text_of(tree, node);
  if (ts_node_is_null(body)) return whole;
  std::string_view head = right_stripped(whole.substr(0, begin_of(body) - begin_of(node)));
  if (head.ends_with('{')) head.remove_suffix(1);
  return right_stripped(head);
}

std::string indented_from(const syntax::Tree& tree, TSNode node, std::string_view text) {
  const std::size_t line = line_begin(tree.text(), begin_of(node));
  const std::string_view indent = indentation_of(tree.text().substr(line, begin_of(node) - line));
  // A definition that stands deep is shown as if it stood at the margin.
  std::string out;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view one = text.substr(at, end - at);
    if (at > 0 && one.starts_with(indent)) one.remove_prefix(indent.size());
    out += std::string(out.empty() ? "" : "\n") + std::string(one);
    at = end + 1;
  }
  return out;
}

// A type is shown whole where that takes no more than its header and a list of its members would.
bool is_large(const syntax::Tree& tree, TSNode type) {
  return text_of(tree, type).size() > kWholeType && !ts_node_is_null(body_of(type));
}

}  // namespace

bool defines_function(std::string_view kind) { return syntax::contains(kFunctions, kind); }
bool defines_type(std::string_view kind) { return syntax::contains(kTypes, kind); }

// Of the node's own name, or of what its declarators lead to: `int* (f)(int)` defines f.
std::string_view name_of(const syntax::Tree& tree, TSNode node) {
  constexpr int kDeepest = 8;
  TSNode named = field_of(node, "name");
  for (int depth = 0; ts_node_is_null(named) && depth < kDeepest; ++depth) {
    node = field_of(node, "declarator");
    if (ts_node_is_null(node)) return {};
    if (ts_node_child_count(node) == 0) named = node;
    if (ts_node_is_null(named)) named = field_of(node, "name");
  }
  if (ts_node_is_null(named)) return {};
  std::string_view name = text_of(tree, named);
  if (const std::size_t colons = name.rfind("::"); colons != std::string_view::npos) name.remove_prefix(colons + 2);
  const bool plain = name.size() < 100 && name.find_first_of(" \t\n") == std::string_view::npos;
  return plain ? name : std::string_view();
}

std::vector<Definition> definitions_in(const syntax::Tree& tree, std::size_t most) {
  std::vector<Definition> found;
  std::size_t nodes = 0;
  syntax::each_node(tree.root(), 0, ~std::size_t{0}, [&](TSNode node) {
    if (found.size() >= most || ++nodes > kNodes) return false;
    if (!ts_node_is_named(node)) return false;
    const std::string_view kind = kind_of(node);
    const bool function = defines_function(kind), type = defines_type(kind);
    // const f = (a) => ...: a function by another name.
    const TSNode value = kind == "variable_declarator" ? field_of(node, "value") : TSNode{};
    const bool arrow = kind == "variable_declarator" && !ts_node_is_null(value) &&
                       (kind_of(value) == "arrow_function" || kind_of(value).starts_with("function"));
    if (!function && !type && !arrow) return true;
    // `struct s* p` only speaks of one.
    if (kind.ends_with("_specifier") && ts_node_is_null(field_of(node, "body"))) return true;
    const std::string_view name = name_of(tree, node);
    if (name.empty()) return true;
    const bool large = type && is_large(tree, node);
    std::string head;
    if (function) {
      head = indented_from(tree, node, shortened(signature(tree, node), kHeadBytes));
    } else if (arrow) {
      const TSNode body = field_of(value, "body");
      const std::size_t end = ts_node_is_null(body) ? end_of(node) : begin_of(body);
      head = "const " + std::string(shortened(tree.text().substr(begin_of(node), end - begin_of(node)), kHeadBytes));
    } else {
      const std::string_view shown = large ? signature(tree, node) : text_of(tree, node);
      head = indented_from(tree, node, shortened(shown, kHeadBytes));
    }
    if (!head.empty()) found.push_back({std::string(name), std::move(head), ts_node_start_point(node).row, large});
    return true;
  });
  return found;
}

std::vector<std::string_view> words_in(std::string_view text) {
  constexpr std::size_t kShortest = 3;
  std::vector<std::string_view> words;
  for (std::size_t at = 0; at < text.size();) {
    if (!is_word_byte(text[at])) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && is_word_byte(text[end])) ++end;
    const bool number = text[at] >= '0' && text[at] <= '9';
    if (!number && end - at >= kShortest) words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

}  // namespace cinnabar::daemon::context
