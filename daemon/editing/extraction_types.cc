#include "daemon/editing/extraction_types.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "daemon/editing/doubts.h"

namespace cinnabar::daemon {
namespace {

using namespace syntax;
using sv = std::string_view;

constexpr sv kCScalars[] = {
    "int",           "unsigned",      "unsigned int", "long",         "char",         "double",        "float",
    "bool",          "size_t",        "int8_t",       "int16_t",      "int32_t",      "int64_t",       "uint8_t",
    "uint16_t",      "uint32_t",      "uint64_t",     "ssize_t",      "short",        "long long",     "std::size_t",
    "unsigned char", "unsigned long", "std::int32_t", "std::int64_t", "std::uint8_t", "std::uint32_t", "std::uint64_t"};
constexpr sv kRustScalars[] = {"i8",  "i16",  "i32", "i64", "i128",  "u8",    "u16",  "u32",
                               "u64", "u128", "f32", "f64", "usize", "isize", "bool", "char"};
constexpr sv kGoScalars[] = {"int",    "int8",   "int16",   "int32",   "int64", "uint", "uint8", "uint16", "uint32",
                             "uint64", "string", "float32", "float64", "bool",  "byte", "rune",  "error",  "any"};

const Occurrence* declaration_of(const Variable& variable) {
  const auto found = std::find_if(variable.occurrences.begin(), variable.occurrences.end(),
                                  [](const Occurrence& one) { return one.role == NameRole::declare; });
  return found == variable.occurrences.end() ? nullptr : &*found;
}

// The type as it is written at the declaration or around it; empty: none.
std::string written_type(const Tree& tree, const Occurrence& declared) {
  for (TSNode node = declared.holder; is_there(node); node = ts_node_parent(node)) {
    const TSNode type = field_of(node, "type");
    if (is_there(type)) return std::string(text_of(tree, type));
    if (kind_of(node).find("declarator") == sv::npos) break;
  }
  return {};
}

// What a literal that it begins with says of its type.
std::string literal_type(const Occurrence& declared, bool go) {
  TSNode value = field_of(declared.holder, "value");
  if (!is_there(value)) value = field_of(declared.holder, "right");
  if (is_there(value) && kind_of(value) == "expression_list")
    value = ts_node_named_child_count(value) == 1 ? ts_node_named_child(value, 0) : TSNode{};
  if (!is_there(value)) return {};
  const sv kind = kind_of(value);
  if (kind == "int_literal") return "int";
  if (kind == "float_literal") return "float64";
  if (kind == "interpreted_string_literal") return "string";
  if (kind == "number") return "number";
  if (kind == "string" || kind == "template_string") return "string";
  if (kind == "true" || kind == "false") return go ? "bool" : "boolean";
  return {};
}

// TypeScript: what an expression's form says of its type, whatever its names stand for; empty: nothing.
sv script_value_type(const Tree& tree, TSNode value) {
  constexpr sv kComparing[] = {"===", "!==", "==", "!=", "<", ">", "<=", ">=", "in", "instanceof"};
  const sv kind = kind_of(value);
  if (kind == "parenthesized_expression") return script_value_type(tree, ts_node_named_child(value, 0));
  if (kind != "binary_expression" && kind != "unary_expression") return {};
  const sv given = text_of(tree, field_of(value, "operator"));
  if (contains(kComparing, given) || given == "!") return "boolean";
  if (given == "typeof") return "string";
  if (given != "+") return {};
  const auto is_text = [&](TSNode side) { return kind_of(side) == "string" || kind_of(side) == "template_string"; };
  const bool joins =
      is_there(field_of(value, "left")) && (is_text(field_of(value, "left")) || is_text(field_of(value, "right")));
  return joins ? sv("string") : sv();
}

std::optional<std::string> script_type(const Tree& tree, const Variable& variable) {
  if (tree.language().name == "javascript") return std::string();
  const Occurrence* declared = declaration_of(variable);
  if (declared == nullptr || kind_of(ts_node_parent(declared->node)).find("pattern") != sv::npos) return std::nullopt;
  std::string type = written_type(tree, *declared);
  if (type.empty()) {
    std::string known = literal_type(*declared, false);
    if (const TSNode value = field_of(declared->holder, "value"); known.empty() && is_there(value))
      known = script_value_type(tree, value);
    if (!known.empty()) type = ": " + known;
  } else if (kind_of(declared->holder) == "optional_parameter") {
    type += " | undefined";
  }
  if (type.empty()) return std::nullopt;
  return type;
}

std::optional<std::string> go_type(const Tree& tree, const Variable& variable) {
  const Occurrence* declared = declaration_of(variable);
  if (declared == nullptr) return std::nullopt;
  std::string type = written_type(tree, *declared);
  if (type.empty()) type = literal_type(*declared, true);
  if (kind_of(declared->holder) == "variadic_parameter_declaration") type = "[]" + type;
  // A struct's copy would keep its changes for itself.
  const bool shared = type.starts_with('*') || type.starts_with("[]") || type.starts_with("map[") ||
                      type.starts_with("func(") || type.starts_with("chan ");
  if (!shared && !contains(kGoScalars, type)) return std::nullopt;
  return type;
}

std::optional<std::string> java_type(const Tree& tree, const Variable& variable) {
  const Occurrence* declared = declaration_of(variable);
  if (declared == nullptr || is_there(field_of(declared->holder, "dimensions"))) return std::nullopt;
  std::string type = written_type(tree, *declared);
  if (type.empty() || type == "var") return std::nullopt;
  return type;
}

// What an expression's form says of its type, whatever its names stand for; empty: nothing.
std::string rust_value_type(const Tree& tree, TSNode value) {
  constexpr sv kComparing[] = {"==", "!=", "<", ">", "<=", ">=", "&&", "||"};
  const sv kind = kind_of(value), text = text_of(tree, value);
  if (kind == "parenthesized_expression") return rust_value_type(tree, ts_node_named_child(value, 0));
  if (kind == "boolean_literal") return "bool";
  if (kind == "char_literal") return text.starts_with('b') ? "u8" : "char";
  if (kind == "string_literal" && !text.starts_with('b')) return "&'static str";
  if (kind == "type_cast_expression") return std::string(text_of(tree, field_of(value, "type")));
  if (kind == "binary_expression" && contains(kComparing, text_of(tree, field_of(value, "operator")))) return "bool";
  if (kind != "integer_literal" && kind != "float_literal") return {};
  const auto* suffix = std::find_if(std::begin(kRustScalars), std::end(kRustScalars),
                                    [text](sv scalar) { return text.ends_with(scalar); });
  return suffix == std::end(kRustScalars) ? std::string() : std::string(*suffix);
}

// One that is copied or borrowed again when it is passed. A reference with a lifetime of its own would need that one declared.
std::optional<std::string> rust_type(const Tree& tree, const Variable& variable) {
  const Occurrence* declared = declaration_of(variable);
  if (declared == nullptr) return std::nullopt;
  std::string type = written_type(tree, *declared);
  if (const TSNode value = field_of(declared->holder, "value"); type.empty() && is_there(value))
    type = rust_value_type(tree, value);
  const bool shared = type.starts_with('&') && !names(type, "Self") &&
                      (type.find('\'') == std::string::npos || type.starts_with("&'static "));
  return contains(kRustScalars, type) || shared ? std::optional(type) : std::nullopt;
}

// From the declaration's begin to the name: "const char *".
std::optional<std::string> c_type(const Tree& tree, const Variable& variable) {
  const Occurrence* declared = declaration_of(variable);
  if (declared == nullptr) return std::nullopt;
  TSNode holder = declared->holder;
  if (kind_of(holder) == "init_declarator") holder = ts_node_parent(holder);
  int declarators = 0;
  for (const TSNode child : named_children(holder)) declarators += kind_of(child).ends_with("declarator") ? 1 : 0;
  const std::string type(
      right_stripped(tree.text().substr(begin_of(holder), begin_of(declared->node) - begin_of(holder))));
  for (const sv no : {"auto", "static", "constexpr", "register", "(", "[", "\n", ","}) {
    if (type.find(no) != std::string::npos) return std::nullopt;
  }
  const std::size_t end = end_of(declared->node);
  if (type.empty() || declarators > 1 || tree.text().substr(end, 1) == "[") return std::nullopt;
  return type;
}

bool is_c_scalar(std::string type) {
  if (type.starts_with("const ")) type = type.substr(6);
  return type.ends_with('*') || contains(kCScalars, type);
}

// `&count` would be the address of a copy.
bool is_referred_to(const Tree& tree, const Variable& variable) {
  return std::any_of(variable.occurrences.begin(), variable.occurrences.end(), [&](const Occurrence& one) {
    const TSNode parent = ts_node_parent(one.node);
    const sv kind = kind_of(parent), text = text_of(tree, parent);
    return (kind == "pointer_expression" || kind == "unary_expression" || kind == "reference_expression") &&
           text.starts_with('&') && (kind != "reference_expression" || text.starts_with("&mut"));
  });
}

// Whether nothing can change it through a reference, as a function that takes one might.
bool is_only_computed_with(const Tree& tree, const Variable& variable) {
  constexpr sv kComputing[] = {"binary_expression", "return_statement", "parenthesized_expression",
                               "subscript_argument_list"};
  return std::all_of(variable.occurrences.begin(), variable.occurrences.end(), [&](const Occurrence& one) {
    const TSNode parent = ts_node_parent(one.node), given = field_of(parent, "operator");
    if (one.role != NameRole::read) return true;
    return contains(kComputing, kind_of(parent)) && !(is_there(given) && text_of(tree, given) == ">>");
  });
}

std::optional<TypedParameter> c_parameter(const Tree& tree, const Variable& variable, bool changed) {
  const auto type = c_type(tree, variable);
  if (!type) return std::nullopt;
  const std::string name(variable.name), blank = type->ends_with('*') || type->ends_with('&') ? "" : " ";
  const bool cpp = tree.language().name == "cpp";
  if (!cpp && is_referred_to(tree, variable)) return std::nullopt;
  if (type->ends_with("&&")) return std::nullopt;
  if (type->ends_with('&')) return TypedParameter{*type + " " + name, true};
  const bool by_value = type->starts_with("const ") || (!changed && is_only_computed_with(tree, variable));
  if (is_c_scalar(*type) && (!cpp || by_value)) return TypedParameter{*type + blank + name, false};
  if (!cpp) return std::nullopt;
  return TypedParameter{*type + "& " + name, true};
}

}  // namespace

std::optional<TypedParameter> parameter_in(const Tree& tree, const Variable& variable, bool changed) {
  const sv language = tree.language().name;
  const std::string name(variable.name);
  if (language == "python") return TypedParameter{name};
  if (language == "c" || language == "cpp") return c_parameter(tree, variable, changed);
  if (language == "go") {
    const auto type = go_type(tree, variable);
    return type && !is_referred_to(tree, variable) ? std::optional(TypedParameter{name + " " + *type}) : std::nullopt;
  }
  if (language == "java") {
    const auto type = java_type(tree, variable);
    return type ? std::optional(TypedParameter{*type + " " + name}) : std::nullopt;
  }
  if (language == "rust") {
    const auto type = rust_type(tree, variable);
    if (!type || is_referred_to(tree, variable) || (changed && type->starts_with('&'))) return std::nullopt;
    return TypedParameter{(changed ? "mut " : "") + name + ": " + *type};
  }
  const auto type = script_type(tree, variable);
  return type ? std::optional(TypedParameter{name + *type}) : std::nullopt;
}

std::optional<std::string> result_in(const Tree& tree, const Variable& variable) {
  const sv language = tree.language().name;
  if (language == "go") return go_type(tree, variable);
  if (language == "java") return java_type(tree, variable);
  if (language == "c" || language == "cpp") {
    const auto type = c_type(tree, variable);
    return type && is_c_scalar(*type) && !type->starts_with("const ") ? type : std::nullopt;
  }
  if (language == "rust") {
    const auto type = rust_type(tree, variable);
    return type && !type->starts_with('&') ? type : std::nullopt;
  }
  return std::string();
}

std::pair<std::string, std::string> signature_around(const Tree& tree, const Function& function,
                                                     const std::string& results) {
  const sv language = tree.language().name;
  if (language == "python") return {"def ", ""};
  if (language == "go")
    return {"func ", results.empty() ? "" : results.find(',') == sv::npos ? " " + results : " (" + results + ")"};
  if (language == "rust") return {"fn ", results.empty() ? "" : " -> " + results};
  const std::string type = results.empty() ? "void" : results;
  if (language == "c" || language == "cpp") return {"static " + type + (type.ends_with('*') ? "" : " "), ""};
  if (language != "java") return {"function ", ""};
  std::string modifiers = "private ", throwing;
  for (const TSNode child : named_children(function.node)) {
    const sv text = text_of(tree, child);
    if (kind_of(child) == "modifiers" && text.find("static") != sv::npos) modifiers += "static ";
    if (kind_of(child) == "throws") throwing = " " + std::string(text);
  }
  return {modifiers + type + " ", throwing};
}

}  // namespace cinnabar::daemon
