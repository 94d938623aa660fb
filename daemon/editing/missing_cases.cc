// "Add the missing cases": of a switch or match over an enumeration of the same file, one case for each member that has
// none; the model says what is done there, in one line.
#include <algorithm>

#include "base/line_ends.h"
#include "base/text.h"
#include "daemon/editing/refactorings.h"
#include "daemon/syntax/functions.h"
#include "daemon/syntax/parameters.h"

namespace cinnabar::daemon {
namespace {

using namespace syntax;
using sv = std::string_view;

// Node kinds of one language, and how it writes a case.
struct CaseRow {
  sv language, choice, arm, label;  // the switch, one case of it, what the case is for (a kind or a field of it)
  sv enumeration, member;
  sv opening, header_end;  // "case " ... ":"
  bool breaks, inline_body;
};
constexpr CaseRow kCases[] = {
    {"python", "match_statement", "case_clause", "case_pattern", "class_definition", "assignment", "case ", ":", false,
     false},
    {"typescript", "switch_statement", "switch_case", "value", "enum_declaration", "", "case ", ":", true, false},
    {"typescriptreact", "switch_statement", "switch_case", "value", "enum_declaration", "", "case ", ":", true, false},
    {"java", "switch_expression", "switch_block_statement_group", "switch_label", "enum_declaration", "enum_constant",
     "case ", ":", true, false},
    {"java", "switch_expression", "switch_rule", "switch_label", "enum_declaration", "enum_constant", "case ", " -> ",
     false, true},
    {"go", "expression_switch_statement", "expression_case", "value", "const_declaration", "const_spec", "case ", ":",
     false, false},
    {"rust", "match_expression", "match_arm", "match_pattern", "enum_item", "enum_variant", "", " => ", false, true},
    {"c", "switch_statement", "case_statement", "value", "enum_specifier", "enumerator", "case ", ":", true, false},
    {"cpp", "switch_statement", "case_statement", "value", "enum_specifier", "enumerator", "case ", ":", true, false},
};

struct Enumeration {
  sv name;
  std::vector<sv> members;
  std::vector<std::string> behind;  // each: what a pattern needs behind it: "(..)"
};

sv last_part(sv label) {
  const std::size_t at = label.find_last_of(".:");
  return at == sv::npos ? label : label.substr(at + 1);
}

std::vector<TSNode> of_kind(TSNode root, sv kind) {
  std::vector<TSNode> found;
  each_node(root, begin_of(root), end_of(root), [&](TSNode node) {
    if (kind_of(node) == kind) found.push_back(node);
    return true;
  });
  return found;
}

void add_member(const Tree& tree, TSNode node, Enumeration& found) {
  TSNode name = field_of(node, "name");
  if (!is_there(name)) name = field_of(node, "left");
  if (!is_there(name)) name = node;
  found.members.push_back(text_of(tree, name));
  const TSNode body = field_of(node, "body");
  const bool fields = is_there(body) && kind_of(node) == "enum_variant";
  found.behind.push_back(!fields ? "" : text_of(tree, body).starts_with('(') ? "(..)" : " { .. }");
}

std::optional<Enumeration> enumeration_of(const Tree& tree, const CaseRow& row, TSNode node) {
  Enumeration found{is_there(field_of(node, "name")) ? text_of(tree, field_of(node, "name")) : sv(), {}, {}};
  const TSNode body = field_of(node, "body");
  if (row.language == "python") {
    const TSNode bases = field_of(node, "superclasses");
    if (!is_there(bases) || text_of(tree, bases).find("Enum") == sv::npos || !is_there(body)) return std::nullopt;
    for (const TSNode statement : named_children(body)) {
      if (kind_of(statement) != "expression_statement" || ts_node_named_child_count(statement) != 1) continue;
      const TSNode inner = ts_node_named_child(statement, 0);
      if (kind_of(inner) == row.member) add_member(tree, inner, found);
    }
  } else if (row.language == "go") {
    if (text_of(tree, node).find("iota") == sv::npos) return std::nullopt;
    for (const TSNode spec : named_children(node)) add_member(tree, spec, found);
  } else if (is_there(body)) {
    for (const TSNode child : named_children(body)) {
      if (row.member.empty() || kind_of(child) == row.member) add_member(tree, child, found);
    }
  }
  if (found.members.size() < 2) return std::nullopt;
  return found;
}

struct Choice {
  TSNode node;
  std::vector<TSNode> arms;
  std::vector<sv> labels;
  sv prefix;  // "Color::"
};

// The switch at the place; none where one of its cases is for everything, or for something else than members.
std::optional<Choice> choice_at(const Tree& tree, const CaseRow& row, std::size_t at) {
  Choice choice{};
  for (const TSNode node : path_to(tree, at, at)) {
    if (kind_of(node) == row.choice) choice.node = node;
  }
  if (!is_there(choice.node) || has_damage(choice.node)) return std::nullopt;
  bool plain = true;
  each_node(choice.node, begin_of(choice.node), end_of(choice.node), [&](TSNode node) {
    if (kind_of(node) == row.choice && !ts_node_eq(node, choice.node)) return false;
    if (kind_of(node).find("default") != sv::npos) plain = false;
    if (kind_of(node) != row.arm) return true;
    choice.arms.push_back(node);
    TSNode label = field_of(node, row.label);
    for (const TSNode child : named_children(node)) {
      if (!is_there(label) && kind_of(child) == row.label) label = child;
    }
    if (!is_there(label)) {
      plain = false;  // default:
      return false;
    }
    sv text = text_of(tree, label);
    if (text.starts_with("case ")) text = stripped(text.substr(5));
    const sv name = last_part(text.substr(0, text.find_first_of("({ ")));
    plain = plain && is_identifier(name) && text.find_first_of("|,\"'") == sv::npos && text.find(" if ") == sv::npos;
    choice.labels.push_back(name);
    const sv prefix = text.substr(0, static_cast<std::size_t>(name.data() - text.data()));
    plain = plain && (choice.labels.size() == 1 || prefix == choice.prefix);
    choice.prefix = prefix;
    return false;
  });
  if (!plain || choice.arms.empty()) return std::nullopt;
  return choice;
}

// The one enumeration that all labels are members of.
std::optional<Enumeration> enumeration_for(const Tree& tree, const CaseRow& row, const Choice& choice) {
  std::optional<Enumeration> found;
  for (const TSNode node : of_kind(tree.root(), row.enumeration)) {
    auto one = enumeration_of(tree, row, node);
    if (!one) continue;
    const sv prefix = choice.prefix.substr(0, choice.prefix.find_last_not_of(".:") + 1);
    if (!prefix.empty() && last_part(prefix) != one->name) continue;
    const bool all = std::all_of(choice.labels.begin(), choice.labels.end(), [&](sv label) {
      return std::find(one->members.begin(), one->members.end(), label) != one->members.end();
    });
    if (!all) continue;
    if (found) return std::nullopt;
    found = std::move(one);
  }
  return found;
}

// One line that says what is done.
Slot body_slot(const CaseRow& row, std::string break_line) {
  Slot slot;
  slot.max_tokens = 48;
  slot.end = [](sv text) -> std::optional<std::size_t> {
    const std::size_t from = text.find_first_not_of(" \t\n");
    const std::size_t end = from == sv::npos ? sv::npos : text.find('\n', from);
    return end == sv::npos ? std::nullopt : std::optional(end);
  };
  const bool semicolons = row.language != "python" && row.language != "go";
  slot.fit = [inline_body = row.inline_body, semicolons, rust = row.language == "rust",
              break_line = std::move(break_line)](sv text) -> std::optional<std::string> {
    std::string line(stripped(text.substr(0, text.find('\n', text.find_first_not_of(" \t\n")))));
    if (rust) line = stripped(sv(line).substr(0, line.find_last_not_of(',') + 1));
    const sv first = first_word(line);
    for (const sv no : {"case", "default", "break", "pass"}) {
      if (first == no) return std::nullopt;
    }
    if (line.empty() || line.find_first_of("{}") != std::string::npos || line.front() == '/' || line.front() == '#')
      return std::nullopt;
    if (rust) return line + ",";
    if (semicolons && !line.ends_with(';')) return std::nullopt;
    if (inline_body || break_line.empty() || first == "return" || first == "throw" || first == "continue") return line;
    return line + break_line;
  };
  return slot;
}

std::optional<SlotPlan> plan_for(const Tree& tree, const CaseRow& row, std::size_t at) {
  const auto choice = choice_at(tree, row, at);
  const auto enumeration = choice ? enumeration_for(tree, row, *choice) : std::nullopt;
  if (!enumeration) return std::nullopt;
  const sv text = tree.text();
  const TSNode last = choice->arms.back();
  const std::size_t line = line_begin(text, begin_of(last));
  const std::string indent(text.substr(line, begin_of(last) - line));
  const std::string end(newline_of(text)), deeper = indent + indent_style_of(text).unit();
  std::size_t place = right_stripped(text.substr(0, end_of(last))).size();
  const bool comma = row.language == "rust" && text.substr(place - 1, 1) != "," && text.substr(place, 1) != ",";
  if (row.language == "rust" && text.substr(place, 1) == ",") ++place;
  if (!is_blank(indent) || !is_blank(text.substr(place, line_end(text, place) - place))) return std::nullopt;
  SlotPlan plan;
  std::vector<SlotPiece> pieces;
  for (std::size_t i = 0; i < enumeration->members.size(); ++i) {
    const sv member = enumeration->members[i];
    if (std::find(choice->labels.begin(), choice->labels.end(), member) != choice->labels.end()) continue;
    const int slot = static_cast<int>(plan.slots.size());
    plan.slots.push_back(body_slot(row, row.breaks ? end + deeper + "break;" : std::string()));
    if (comma && pieces.empty()) pieces.push_back({",", -1, {}});
    std::string head = end + indent + std::string(row.opening) + std::string(choice->prefix) + std::string(member) +
                       enumeration->behind[i] + std::string(row.header_end);
    if (!row.inline_body) head += end + deeper;
    pieces.push_back({std::move(head), slot, {slot}});
  }
  if (plan.slots.empty() || plan.slots.size() > 24) return std::nullopt;
  plan.changes.push_back({place, place, std::move(pieces)});
  plan.footprint = {begin_of(choice->node), end_of(choice->node)};
  return plan;
}

// Whether the last case ends in something that leaves it: where it falls through, another one behind it would run, too.
bool ends_with_exit(const Tree& tree, const CaseRow& row, std::size_t at) {
  if (!row.breaks) return true;
  const auto choice = choice_at(tree, row, at);
  if (!choice) return false;
  const auto children = named_children(choice->arms.back());
  if (children.empty()) return false;
  const sv kind = kind_of(children.back());
  return kind == "break_statement" || kind == "return_statement" || kind == "throw_statement" ||
         kind == "continue_statement";
}

}  // namespace

std::optional<SlotPlan> plan_missing_cases(const Tree& tree, Span selection) {
  for (const CaseRow& row : kCases) {
    if (row.language != tree.language().name || !ends_with_exit(tree, row, selection.begin)) continue;
    if (auto plan = plan_for(tree, row, selection.begin)) return plan;
  }
  return std::nullopt;
}

}  // namespace cinnabar::daemon
