// "Add type annotations" (Python, TypeScript): the tree knows where they are missing, the model which they are. A type
// is taken only where all its names are known at that place.
#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"
#include "daemon/editing/refactorings.h"
#include "daemon/syntax/functions.h"
#include "daemon/syntax/parameters.h"

namespace cinnabar::daemon {
namespace {

using namespace syntax;
using sv = std::string_view;

constexpr sv kPythonTypes[] = {"int",     "str",  "float",     "bool",  "bytes",     "list",
                               "dict",    "set",  "tuple",     "None",  "object",    "frozenset",
                               "complex", "type", "bytearray", "range", "memoryview"};
constexpr sv kScriptTypes[] = {"string",        "number",      "boolean",     "void",       "null",     "undefined",
                               "unknown",       "any",         "never",       "object",     "bigint",   "symbol",
                               "Date",          "Map",         "Set",         "Promise",    "Array",    "Record",
                               "Partial",       "Readonly",    "RegExp",      "Error",      "Function", "Iterable",
                               "ReadonlyArray", "ReadonlyMap", "ReadonlySet", "Uint8Array", "URL"};


// Up to where no bracket is open and something follows that belongs to no type.
std::size_t type_end(sv text) {
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '[' || c == '<' || c == '(') ++depth;
    if (c == ']' || c == '>' || c == ')') {
      if (depth == 0) return i;
      --depth;
    }
    if (c == '\n' || c == '{' || c == '=' || c == '#' || c == ';') return i;
    if (depth == 0 && (c == ',' || c == ':')) return i;
  }
  return text.size();
}

bool is_balanced(sv text) {
  int depth = 0;
  for (const char c : text) {
    if (c == '[' || c == '<' || c == '(') ++depth;
    if ((c == ']' || c == '>' || c == ')') && --depth < 0) return false;
  }
  return depth == 0;
}

// Names of classes and imports at the outermost level before `end`.
std::set<std::string, std::less<>> known_types(const Tree& tree, std::size_t end) {
  constexpr sv kKnowing[] = {"import", "class", "interface", "type_alias", "enum", "export"};
  std::set<std::string, std::less<>> known;
  for (const TSNode child : named_children(tree.root())) {
    if (begin_of(child) >= end) break;
    if (std::none_of(std::begin(kKnowing), std::end(kKnowing),
                     [&](sv word) { return kind_of(child).find(word) != sv::npos; }))
      continue;
    each_node(child, begin_of(child), end_of(child), [&](TSNode node) {
      const sv kind = kind_of(node);
      if (kind == "aliased_import") known.emplace(text_of(tree, field_of(node, "alias")));  // and that name only
      if (kind == "identifier" || kind == "type_identifier") known.emplace(text_of(tree, node));
      return kind != "aliased_import" && kind != "block" && kind != "class_body" && kind != "statement_block";
    });
  }
  return known;
}

// `List[int]` says `list[int]` where nobody has imported List.
std::string plain(sv type, const std::set<std::string, std::less<>>& known) {
  constexpr std::pair<sv, sv> kPlain[] = {{"List", "list"}, {"Dict", "dict"}, {"Set", "set"}, {"Tuple", "tuple"}};
  std::string out;
  for (std::size_t i = 0; i < type.size();) {
    std::size_t end = i;
    while (end < type.size() && is_word_byte(type[end])) ++end;
    if (end == i) end = i + 1;
    sv word = type.substr(i, end - i);
    for (const auto& [long_name, name] : kPlain) {
      if (word == long_name && !known.contains(word)) word = name;
    }
    out += word;
    i = end;
  }
  return out;
}

bool all_known(sv type, Words types, const std::set<std::string, std::less<>>& known) {
  bool any = false;
  for (std::size_t i = 0; i < type.size();) {
    std::size_t end = i;
    while (end < type.size() && is_word_byte(type[end])) ++end;
    if (end == i) {
      if (sv("[]<>|,. ()=>").find(type[i]) == sv::npos) return false;
      ++i;
      continue;
    }
    const sv word = type.substr(i, end - i);
    const bool member = i > 0 && type[i - 1] == '.';
    if (!member && !contains(types, word) && known.find(word) == known.end()) return false;
    any = true;
    i = end;
  }
  return any;
}

Slot type_slot(const Tree& tree, Words types, std::set<std::string, std::less<>> known, std::string or_none,
               sv inside) {
  Slot slot;
  slot.max_tokens = 16;
  slot.candidates = 3;
  slot.end = [](sv text) -> std::optional<std::size_t> {
    const std::size_t end = type_end(text);
    return end < text.size() ? std::optional(end) : std::nullopt;
  };
  const bool is_python = tree.language().name == "python";
  slot.fit = [types, known = std::move(known), or_none = std::move(or_none), is_python,
              inside = std::string(inside)](sv text) -> std::optional<std::string> {
    std::string type(stripped(text.substr(0, type_end(text))));
    if (is_python) type = plain(type, known);
    if (type.empty() || !is_balanced(type) || type.size() > 60 || !all_known(type, types, known)) return std::nullopt;
    if (type.find("=>") != std::string::npos || type.find('(') != std::string::npos) return std::nullopt;
    if (type.starts_with('|') || type.ends_with('|')) return std::nullopt;
    if (!inside.empty() && !type.starts_with(inside)) return std::nullopt;
    if (!or_none.empty() && type.find(or_none) == std::string::npos && type.find("Optional") == std::string::npos)
      type += " | " + or_none;
    return type;
  };
  return slot;
}

struct TypePlan {
  const Tree& tree;
  Words types;
  std::set<std::string, std::less<>> known;
  SlotPlan plan = {};

  // At `at`, or nothing: `before` TYPE `behind`.
  void add(std::size_t at, sv before, sv or_none, sv inside = {}, std::optional<std::size_t> blank_at = {}) {
    const int slot = static_cast<int>(plan.slots.size());
    plan.slots.push_back(type_slot(tree, types, known, std::string(or_none), inside));
    plan.changes.push_back({at, at, {{std::string(before), slot, {slot}}}});
    if (!blank_at) return;
    plan.changes.back().pieces.push_back({" ", -1, {slot}});
    plan.changes.push_back({*blank_at, *blank_at, {{" ", -1, {slot}}}});
  }
  void add_certain(std::size_t at, std::string text) { plan.changes.push_back({at, at, {{std::move(text)}}}); }
};

bool has_yield(TSNode body) {
  constexpr sv kYield[] = {"yield", "yield_expression"};
  return has_kind(body, kYield);
}

void add_python(TypePlan& types, const Function& function) {
  const sv text = types.tree.text();
  for (const Parameter& parameter : parameters_of(types.tree, function)) {
    const sv kind = kind_of(parameter.node);
    if (parameter.is_self || is_there(parameter.type) || (kind != "identifier" && kind != "default_parameter"))
      continue;
    const std::size_t end = end_of(parameter.name);
    if (kind == "identifier") {
      types.add(end, ": ", "");
      continue;
    }
    const bool none = text_of(types.tree, parameter.value) == "None";
    const bool tight = text.substr(end, 1) == "=";  // name=3 becomes name: int = 3
    types.add(end, ": ", none ? "None" : "", {}, tight ? std::optional(begin_of(parameter.value)) : std::nullopt);
  }
  if (is_there(function.result) || has_yield(function.body)) return;
  if (!returns_value(types.tree, function))
    types.add_certain(end_of(function.parameters), " -> None");
  else
    types.add(end_of(function.parameters), " -> ", "");
}

void add_script(TypePlan& types, const Function& function) {
  if (kind_of(function.parameters) != "formal_parameters") return;
  for (const Parameter& parameter : parameters_of(types.tree, function)) {
    if (is_there(parameter.type) || !is_there(parameter.name)) continue;
    const bool rest = text_of(types.tree, parameter.node).starts_with("...");
    const bool optional = kind_of(parameter.node) == "optional_parameter";
    if (rest || (!optional && kind_of(parameter.node) != "required_parameter")) continue;
    if (optional && is_there(parameter.value)) continue;
    types.add(optional ? end_of(parameter.node) : end_of(parameter.name), ": ", "");
  }
  const sv name = is_there(function.name) ? text_of(types.tree, function.name) : sv();
  const sv head = text_of(types.tree, function.node).substr(0, begin_of(function.parameters) - begin_of(function.node));
  const bool async = head.find("async") != sv::npos;
  if (is_there(function.result) || name == "constructor" || head.starts_with("set ") || head.find('*') != sv::npos)
    return;
  if (!returns_value(types.tree, function))
    types.add_certain(end_of(function.parameters), async ? ": Promise<void>" : ": void");
  else
    types.add(end_of(function.parameters), ": ", "", async ? "Promise<" : "");
}

}  // namespace

std::optional<SlotPlan> plan_types(const Tree& tree, Span selection) {
  const bool python = tree.language().name == "python";
  if (!python && !tree.language().name.starts_with("typescript")) return std::nullopt;
  const auto function = function_around(tree, selection.begin);
  if (!function || !is_there(function->parameters) || !is_there(function->body) || has_damage(function->node))
    return std::nullopt;
  TypePlan types{tree, python ? Words(kPythonTypes) : Words(kScriptTypes),
                 known_types(tree, python ? begin_of(function->whole) : tree.text().size())};
  if (python)
    add_python(types, *function);
  else
    add_script(types, *function);
  if (types.plan.changes.empty()) return std::nullopt;
  types.plan.footprint = {begin_of(function->node), end_of(function->node)};
  return std::move(types.plan);
}

}  // namespace cinnabar::daemon
