#include "daemon/workspace/context/members.h"

#include <algorithm>
#include <array>
#include <unordered_set>

#include "base/text.h"
#include "daemon/syntax/functions.h"
#include "daemon/workspace/context/definitions.h"

namespace cinnabar::daemon::context {
namespace {

using syntax::field_of;
using syntax::kind_of;
using syntax::text_of;

constexpr std::size_t kNodes = 400'000;  // bounds the walk through one file
constexpr std::size_t kParameters = 60;  // bytes
constexpr int kDeepest = 16;             // ancestors looked at

constexpr std::array<std::string_view, 8> kFields = {
    "field_declaration", "public_field_definition", "property_signature", "property_declaration",
    "enum_variant",      "enum_constant",           "enumerator",         "enum_assignment"};
constexpr std::array<std::string_view, 2> kAssignments = {"assignment", "assignment_expression"};
constexpr std::array<std::string_view, 3> kConstructors = {"__init__", "constructor", "initialize"};

// The first name in a text: of `Vec<T>` and `&Vec<T>` Vec.
std::string_view first_name(std::string_view text) {
  const auto begin = std::find_if(text.begin(), text.end(), is_word_byte);
  const auto end = std::find_if_not(begin, text.end(), is_word_byte);
  return text.substr(static_cast<std::size_t>(begin - text.begin()), static_cast<std::size_t>(end - begin));
}

// Of a Go method's receiver.
std::string_view receiver_type(const syntax::Tree& tree, TSNode method) {
  const TSNode receiver = field_of(method, "receiver");
  if (ts_node_is_null(receiver)) return {};
  std::string_view name;
  syntax::each_node(receiver, 0, ~std::size_t{0}, [&](TSNode node) {
    if (name.empty() && kind_of(node) == "type_identifier") name = text_of(tree, node);
    return name.empty();
  });
  return name;
}

// `Type` of a definition `void Type::f()`.
std::string_view scope_before_name(const syntax::Tree& tree, TSNode function) {
  TSNode node = function;
  for (int depth = 0; depth < kDeepest; ++depth) {
    node = field_of(node, "declarator");
    if (ts_node_is_null(node)) return {};
    if (kind_of(node) == "qualified_identifier") break;
  }
  if (ts_node_is_null(node) || kind_of(node) != "qualified_identifier") return {};
  std::string_view name = text_of(tree, node);
  name = name.substr(0, name.rfind("::"));
  if (const std::size_t colons = name.rfind("::"); colons != std::string_view::npos) name.remove_prefix(colons + 2);
  return first_name(name);
}

// The type that a node lies in, and the function between them where there is one.
struct Inside {
  std::string_view type, function;
};

Inside inside(const syntax::Tree& tree, TSNode node) {
  Inside found;
  for (int depth = 0; depth < kDeepest; ++depth) {
    node = ts_node_parent(node);
    if (ts_node_is_null(node)) break;
    const std::string_view kind = kind_of(node);
    if (defines_type(kind)) {
      found.type = name_of(tree, node);
      return found;
    }
    if (kind == "impl_item") {
      found.type = first_name(text_of(tree, field_of(node, "type")));
      return found;
    }
    if (!defines_function(kind)) continue;
    if (!found.function.empty()) break;
    found.function = name_of(tree, node);
  }
  return {};
}

std::string in_one_line(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!blank) out += c;
    if (blank && !out.empty() && out.back() != ' ' && out.back() != '(') out += ' ';
  }
  return out;
}

// "(item, count=1)"; of the object itself, which a caller does not write, nothing.
std::string parameters_of(const syntax::Tree& tree, TSNode function) {
  TSNode parameters = field_of(function, "parameters"), declarator = function;
  for (int depth = 0; ts_node_is_null(parameters) && depth < kDeepest; ++depth) {
    declarator = field_of(declarator, "declarator");
    if (ts_node_is_null(declarator)) return "()";
    parameters = field_of(declarator, "parameters");
  }
  std::string text = in_one_line(text_of(tree, parameters));
  for (const std::string_view self : {"(self", "(cls", "(&self", "(&mut self", "(mut self"}) {
    if (!text.starts_with(self)) continue;
    const char next = text.size() > self.size() ? text[self.size()] : ')';
    if (next == ')') text.replace(1, self.size() - 1, "");
    if (next == ',') text.replace(1, std::min(self.size() + 1, text.size() - 2), "");
  }
  if (text.ends_with(", )")) text.replace(text.size() - 3, 3, ")");
  if (text.size() <= kParameters) return text;
  const std::size_t comma = text.rfind(',', kParameters);
  return text.substr(0, comma == std::string::npos ? 1 : comma + 1) + " ...)";
}

// `int price(int id) const;` in a C++ class.
bool declares_function(TSNode field) {
  TSNode node = field;
  for (int depth = 0; depth < kDeepest; ++depth) {
    node = field_of(node, "declarator");
    if (ts_node_is_null(node)) return false;
    if (kind_of(node) == "function_declarator") return true;
  }
  return false;
}

class Collector {
 public:
  Collector(const syntax::Tree& tree, std::size_t most) : tree_(tree), most_(most) {}

  bool visit(TSNode node) {
    if (found_.size() >= most_ || ++nodes_ > kNodes) return false;
    if (!ts_node_is_named(node)) return false;
    const std::string_view kind = kind_of(node);
    if (defines_function(kind)) {
      take_function(node);
    } else if (defines_type(kind)) {
      take_type(node);
    } else if (syntax::contains(kFields, kind)) {
      take_field(node);
    } else if (syntax::contains(kAssignments, kind)) {
      take_assigned(node);
    }
    return true;
  }
  std::vector<Member> found() { return std::move(found_); }

 private:
  void take_function(TSNode node) {
    std::string_view owner = receiver_type(tree_, node);
    if (owner.empty()) owner = scope_before_name(tree_, node);
    const std::string_view name = name_of(tree_, node);
    if (owner.empty()) {
      const Inside place = inside(tree_, node);
      if (!place.function.empty() || (place.type.empty() && !is_for_others(node, name))) return;
      owner = place.type;
    }
    add(owner, name, std::string(name) + parameters_of(tree_, node));
  }
  // One inside another is written behind its name: `Outer.Inner`.
  void take_type(TSNode node) {
    const std::string_view name = name_of(tree_, node);
    const Inside place = inside(tree_, node);
    if (place.function.empty() && (!place.type.empty() || is_for_others(node, name)))
      add(place.type, name, std::string(name));
  }
  // `X, Y int` has two names.
  void take_field(TSNode node) {
    const Inside place = inside(tree_, node);
    if (!place.function.empty()) return;
    const std::uint32_t count = ts_node_child_count(node);
    bool named = false;
    for (std::uint32_t i = 0; i < count; ++i) {
      const char* field = ts_node_field_name_for_child(node, i);
      if (field == nullptr || std::string_view(field) != "name") continue;
      named = true;
      const std::string_view name = text_of(tree_, ts_node_child(node, i));
      if (!place.type.empty()) add(place.type, name, std::string(name));
    }
    if (named || place.type.empty()) return;
    const std::string_view name = name_of(tree_, node);
    add(place.type, name, std::string(name) + (declares_function(node) ? parameters_of(tree_, node) : ""));
  }
  // `self.name = ...` in a constructor, `NAME = ...` in a class.
  void take_assigned(TSNode node) {
    const TSNode left = field_of(node, "left");
    if (ts_node_is_null(left)) return;
    std::string_view name = text_of(tree_, left);
    const Inside place = inside(tree_, node);
    if (place.type.empty()) return;
    const bool member = name.starts_with("self.") || name.starts_with("this.");
    if (member != !place.function.empty()) return;
    if (member && !syntax::contains(kConstructors, place.function)) return;
    if (member) name.remove_prefix(5);
    if (std::all_of(name.begin(), name.end(), is_word_byte)) add(place.type, name, std::string(name));
  }
  // Whether other files see it: by its place and by what its language says.
  bool is_for_others(TSNode node, std::string_view name) const {
    TSNode parent = ts_node_parent(node);
    const bool exported = !ts_node_is_null(parent) && kind_of(parent) == "export_statement";
    if (exported || kind_of(node) == "type_spec") parent = ts_node_parent(parent);
    if (ts_node_is_null(parent) || !ts_node_is_null(ts_node_parent(parent))) return false;
    const std::string_view language = tree_.language().name;
    if (language == "go") return !name.empty() && name.front() >= 'A' && name.front() <= 'Z';
    if (language == "rust") return text_of(tree_, node).starts_with("pub ");
    if (language.starts_with("javascript") || language.starts_with("typescript")) return exported;
    return language == "python" || language == "lua" || language == "ruby";
  }
  void add(std::string_view owner, std::string_view name, std::string brief) {
    if (name.empty() || name.front() == '_') return;
    found_.push_back({std::string(owner), std::string(name), std::move(brief)});
  }

  const syntax::Tree& tree_;
  const std::size_t most_;
  std::size_t nodes_ = 0;
  std::vector<Member> found_;
};

}  // namespace

std::vector<Member> members_in(const syntax::Tree& tree, std::size_t most) {
  Collector collector(tree, most);
  syntax::each_node(tree.root(), 0, ~std::size_t{0}, [&](TSNode node) { return collector.visit(node); });
  return collector.found();
}

std::string listed(const std::vector<std::string_view>& briefs, std::size_t bytes) {
  std::string out;
  std::unordered_set<std::string_view> seen;
  for (const std::string_view brief : briefs) {
    if (!seen.insert(brief).second || out.size() + 2 + brief.size() > bytes) continue;
    out += (out.empty() ? "" : ", ") + std::string(brief);
  }
  return out;
}

}  // namespace cinnabar::daemon::context
