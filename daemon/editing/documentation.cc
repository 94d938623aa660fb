// "Document this function": a comment in the language's form, of which the tree makes the frame and the model the words.
#include <array>

#include "base/line_ends.h"
#include "base/text.h"
#include "daemon/editing/refactorings.h"
#include "daemon/syntax/functions.h"
#include "daemon/syntax/parameters.h"

namespace cinnabar::daemon {
namespace {

using namespace syntax;
using sv = std::string_view;

enum class DocForm : std::uint8_t {
  docstring,  // """...""" as the first statement
  block,      // /** ... @param ... */ above
  slashes,    // /// or // above
};

struct DocRow {
  sv language;
  DocForm form;
  sv mark;     // of slashes
  sv returns;  // of a block
};
constexpr DocRow kDocs[] = {
    {"python", DocForm::docstring, "", ""},         {"javascript", DocForm::block, "", "@returns"},
    {"typescript", DocForm::block, "", "@returns"}, {"typescriptreact", DocForm::block, "", "@returns"},
    {"java", DocForm::block, "", "@return"},        {"c", DocForm::block, "", "@return"},
    {"cpp", DocForm::block, "", "@return"},         {"go", DocForm::slashes, "// ", ""},
    {"rust", DocForm::slashes, "/// ", ""},
};

// Whether a comment, or what the language has beside one, ends right above `begin`.
bool is_documented(const Tree& tree, std::size_t begin) {
  const sv text = tree.text();
  const std::size_t line = line_begin(text, begin);
  if (line == 0) return false;
  const sv above = stripped(text.substr(line_begin(text, line - 1), line - 1 - line_begin(text, line - 1)));
  return begins_comment(tree.language(), above) || above.ends_with("*/") || above.starts_with("#[") ||
         above.starts_with("*");
}


// The pieces of a documentation, and the slots in them.
struct Frame {
  SlotPlan plan;
  std::vector<SlotPiece> pieces;

  int add(Slot slot) {
    plan.slots.push_back(std::move(slot));
    return static_cast<int>(plan.slots.size()) - 1;
  }
  void line(std::string text, int slot, std::vector<int> with, std::string behind = {}) {
    pieces.push_back({std::move(text), slot, with});
    if (!behind.empty()) pieces.push_back({std::move(behind), -1, std::move(with)});
  }
};

// Of a whole frame the model says more when it is asked in words; a line that begins with a name it goes on by itself.
Slot summary_slot(const Tree& tree, const Function& function, std::string closer, bool first) {
  Slot slot = prose_slot(std::move(closer), true, true);
  slot.question =
      about_code("Say in one short sentence what this function does.", tree.language(), text_of(tree, function.node));
  slot.answer = "This function ";
  slot.question_first = first;
  return slot;
}

SlotPlan docstring(const Tree& tree, const Function& function, std::size_t at, sv indent) {
  const std::string end(newline_of(tree.text())), in(indent), deeper = in + indent_style_of(tree.text()).unit();
  Frame frame;
  const int summary = frame.add(summary_slot(tree, function, "\"\"\"", true));
  frame.line(in + "\"\"\"", summary, {});
  const auto parameters = parameter_names(tree, function);
  std::vector<int> about;
  for (std::size_t i = 0; i < parameters.size(); ++i) about.push_back(frame.add(prose_slot("\"\"\"", true, false)));
  if (!about.empty()) frame.line(end + end + in + "Args:", -1, about);
  for (std::size_t i = 0; i < parameters.size(); ++i)
    frame.line(end + deeper + std::string(parameters[i]) + ": ", about[i], {about[i]});
  if (returns_value(tree, function) && !about.empty()) {
    const int returned = frame.add(prose_slot("\"\"\"", true, false));
    frame.line(end + end + in + "Returns:" + end + deeper, returned, {returned});
    about.push_back(returned);
  }
  if (!about.empty()) frame.line(end + in, -1, about);
  frame.line("\"\"\"" + end, -1, {});
  frame.plan.changes.push_back({at, at, std::move(frame.pieces)});
  return std::move(frame.plan);
}

SlotPlan block(const Tree& tree, const Function& function, std::size_t at, sv indent, sv returns) {
  const std::string end(newline_of(tree.text())), next = end + std::string(indent) + " * ";
  Frame frame;
  const int summary = frame.add(summary_slot(tree, function, "*/", true));
  frame.line(std::string(indent) + "/**" + next, summary, {});
  for (const sv name : parameter_names(tree, function)) {
    const int about = frame.add(prose_slot("*/", true, false));
    frame.line(next + "@param " + std::string(name) + " ", about, {about});
  }
  if (returns_value(tree, function)) {
    const int returned = frame.add(prose_slot("*/", true, false));
    frame.line(next + std::string(returns) + " ", returned, {returned});
  }
  frame.line(end + std::string(indent) + " */" + end, -1, {});
  frame.plan.changes.push_back({at, at, std::move(frame.pieces)});
  return std::move(frame.plan);
}

SlotPlan slashes(const Tree& tree, const Function& function, std::size_t at, sv indent, sv mark) {
  Frame frame;
  const bool by_name = tree.language().line_comment == stripped(mark);  // Go: the sentence begins with the name
  const std::string name = by_name ? std::string(text_of(tree, function.name)) + " " : std::string();
  Slot sentence = summary_slot(tree, function, "", false);
  if (by_name) sentence.fit = prose_slot("", false, true).fit;  // "Total returns ..."
  const int summary = frame.add(std::move(sentence));
  frame.line(std::string(indent) + std::string(mark) + name, summary, {}, std::string(newline_of(tree.text())));
  frame.plan.changes.push_back({at, at, std::move(frame.pieces)});
  return std::move(frame.plan);
}

std::optional<SlotPlan> docstring_plan(const Tree& tree, const Function& function) {
  const sv text = tree.text();
  const auto statements = named_children(function.body);
  if (statements.empty() || kind_of(function.body) != "block") return std::nullopt;
  const std::size_t first = begin_of(statements.front()), line = line_begin(text, first);
  if (!is_blank(text.substr(line, first - line)) || line <= begin_of(function.node)) return std::nullopt;
  if (kind_of(statements.front()) == "expression_statement" && ts_node_named_child_count(statements.front()) == 1 &&
      kind_of(ts_node_named_child(statements.front(), 0)).find("string") != sv::npos)
    return std::nullopt;  // it has one
  // Comments that stand above the first statement belong to it.
  const std::size_t header = is_there(function.result) ? end_of(function.result) : end_of(function.parameters);
  const std::size_t at = text.find('\n', header) + 1;
  if (at > line || text.find(':', header) > at) return std::nullopt;
  return docstring(tree, function, at, text.substr(line, first - line));
}

}  // namespace

std::optional<SlotPlan> plan_documentation(const Tree& tree, Span selection) {
  const DocRow* row = nullptr;
  for (const DocRow& one : kDocs) {
    if (one.language == tree.language().name) row = &one;
  }
  const auto function = row == nullptr ? std::nullopt : function_around(tree, selection.begin);
  if (!function || !is_there(function->parameters) || !is_there(function->body) || has_damage(function->node))
    return std::nullopt;
  const sv text = tree.text();
  std::optional<SlotPlan> plan;
  if (row->form == DocForm::docstring) {
    plan = docstring_plan(tree, *function);
  } else {
    const std::size_t begin = begin_of(function->whole), line = line_begin(text, begin);
    const sv indent = text.substr(line, begin - line);
    if (!is_blank(indent) || is_documented(tree, begin)) return std::nullopt;
    const bool slashed = text.starts_with("///") || text.find("\n///") != sv::npos;
    if (row->form == DocForm::slashes)
      plan = slashes(tree, *function, line, indent, row->mark);
    else if (slashed && text.find("/**") == sv::npos)
      plan = slashes(tree, *function, line, indent, "/// ");
    else
      plan = block(tree, *function, line, indent, row->returns);
  }
  if (plan) plan->footprint = {line_begin(text, begin_of(function->whole)), end_of(function->whole)};
  return plan;
}

}  // namespace cinnabar::daemon
