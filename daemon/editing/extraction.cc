#include "daemon/editing/extraction.h"

#include <algorithm>
#include <array>

#include "base/line_ends.h"
#include "base/text.h"
#include "daemon/editing/doubts.h"
#include "daemon/editing/extraction_types.h"

namespace cinnabar::daemon {
namespace {

using namespace syntax;
using sv = std::string_view;

enum class Where : std::uint8_t { top, before, behind };  // the outermost statement around the function; the function

// How a language writes a function and its call.
struct FormRow {
  sv language;
  Where where;
  bool braces, semicolons;
  bool many;  // several results at once
};
constexpr FormRow kForms[] = {
    {"python", Where::top, false, false, true},   {"javascript", Where::top, true, true, true},
    {"typescript", Where::top, true, true, true}, {"typescriptreact", Where::top, true, true, true},
    {"java", Where::behind, true, true, false},   {"go", Where::behind, true, false, true},
    {"rust", Where::behind, true, true, false},   {"c", Where::before, true, true, false},
    {"cpp", Where::before, true, true, false},
};

class Writer {
 public:
  Writer(const Tree& tree, const FunctionScope& scope, const Statements& statements, const Passing& passing,
         const FormRow& form)
      : tree_(tree), text_(tree.text()), scope_(scope), statements_(statements), passing_(passing), form_(form) {}

  std::optional<SlotPlan> plan() {
    if (!find_place() || !find_parameters() || !find_results() || !find_body()) return std::nullopt;
    std::vector<std::string> taken;
    for (const sv name : names_in(tree_)) taken.emplace_back(name);
    SlotPlan plan;
    plan.slots.push_back(name_slot(taken, unused("extracted", taken)));
    const SlotChange function = declaration();
    const SlotChange call{
        statements_.lines.begin, statements_.lines.end, {{indent_of_call() + before_call_, 0}, {call_}}};
    plan.changes = form_.where == Where::behind ? std::vector{call, function} : std::vector{function, call};
    plan.footprint = {std::min(at_, statements_.lines.begin), std::max(at_, end_of(scope_.function.whole))};
    return plan;
  }

 private:
  std::string indent_of_call() const {
    return std::string(text_.substr(statements_.lines.begin, statements_.span.begin - statements_.lines.begin));
  }

  // Where the function goes.
  bool find_place() {
    TSNode node = scope_.function.whole;
    if (form_.where == Where::top) {
      for (TSNode parent = ts_node_parent(node); is_there(ts_node_parent(parent)); parent = ts_node_parent(parent)) {
        const sv kind = kind_of(parent);
        if (kind == "class_definition" || kind == "class_declaration" || kind == "class") is_method_ = true;
        node = parent;
      }
      // In a class `__name` means another name than outside of it.
      if (is_method_ &&
          text_.substr(statements_.span.begin, statements_.span.end - statements_.span.begin).find("__") != sv::npos)
        return false;
    }
    if (tree_.language().name == "rust" && !leave_impl(node)) return false;
    if (!is_allowed_around(node)) return false;
    indent_ = text_.substr(line_begin(text_, begin_of(node)), begin_of(node) - line_begin(text_, begin_of(node)));
    if (!is_blank(indent_)) return false;
    at_ = form_.where == Where::behind ? line_end(text_, end_of(node))
                                       : above_comments(line_begin(text_, begin_of(node)));
    return form_.where != Where::behind || is_blank(text_.substr(end_of(node), at_ - end_of(node)));
  }
  // What is moved out of a Rust `impl` becomes a function behind it: `node` is the impl then. False: its text would mean
  // something else there, or exist in other builds.
  bool leave_impl(TSNode& node) const {
    if (is_conditional(node)) return false;
    const TSNode around = ts_node_parent(ts_node_parent(node));
    if (!is_there(around) || kind_of(around) != "impl_item") return true;
    const sv moved = text_.substr(statements_.span.begin, statements_.span.end - statements_.span.begin);
    node = around;
    return !is_there(field_of(around, "type_parameters")) && !names(moved, "Self") && !is_conditional(around);
  }
  // #[cfg(unix)] above it.
  bool is_conditional(TSNode node) const {
    for (TSNode above = ts_node_prev_named_sibling(node); is_there(above) && kind_of(above) != "function_item";
         above = ts_node_prev_named_sibling(above)) {
      if (kind_of(above) == "attribute_item" && names(text_of(tree_, above), "cfg")) return true;
      if (kind_of(above) != "attribute_item" && !kind_of(above).ends_with("comment")) return false;
    }
    return false;
  }
  bool is_allowed_around(TSNode node) const {
    const TSNode parent = ts_node_parent(node);
    if (!is_there(parent)) return false;
    const sv language = tree_.language().name, kind = kind_of(parent), own = kind_of(scope_.function.node);
    if (is_there(field_of(scope_.function.node, "type_parameters"))) return false;
    if (language == "java") return own == "method_declaration" && kind == "class_body";
    if (language == "rust")
      return own == "function_item" &&
             (kind == "source_file" || (kind == "declaration_list" && kind_of(ts_node_parent(parent)) == "mod_item"));
    if (language == "c" || language == "cpp")
      return own == "function_definition" && ts_node_eq(scope_.function.whole, scope_.function.node) &&
             kind_of(scope_.function.name) == "identifier" &&
             (kind == "translation_unit" ||
              (kind == "declaration_list" && kind_of(ts_node_parent(parent)) == "namespace_definition"));
    if (form_.where == Where::top) return !is_there(ts_node_parent(parent));
    return true;
  }
  // Comments right above a function stay with it.
  std::size_t above_comments(std::size_t line) const {
    while (line > 0) {
      const std::size_t above = line_begin(text_, line - 1);
      const sv words = stripped(text_.substr(above, line - 1 - above));
      if (!begins_comment(tree_.language(), words) && !words.starts_with("*")) break;
      line = above;
    }
    return line;
  }

  bool find_parameters() {
    for (const auto& [variable, changed] : passing_.in) {
      const auto typed = parameter_in(tree_, *variable, changed);
      if (!typed) return false;
      parameters_ += (parameters_.empty() ? "" : ", ") + typed->declaration;
      arguments_ += (arguments_.empty() ? "" : ", ") + std::string(variable->name);
      if (!typed->by_reference) continue;
      referred_.push_back(variable);
    }
    return true;
  }

  bool find_results() {
    std::vector<PassedVariable> out;
    for (const PassedVariable& one : passing_.out) {
      if (std::find(referred_.begin(), referred_.end(), one.variable) == referred_.end()) out.push_back(one);
    }
    if (out.size() > 1 && !form_.many) return false;
    const bool outer = std::any_of(out.begin(), out.end(), [](const auto& one) { return one.flag; });
    const bool own = std::any_of(out.begin(), out.end(), [](const auto& one) { return !one.flag; });
    if (outer && own && tree_.language().name != "python") return false;
    std::string names;
    for (const auto& one : out) {
      const auto typed = result_in(tree_, *one.variable);
      if (!typed) return false;
      names += (names.empty() ? "" : ", ") + std::string(one.variable->name);
      types_ += (types_.empty() ? "" : ", ") + *typed;
    }
    const std::string end = form_.semicolons ? ";" : "";
    call_ = "(" + arguments_ + ")" + end;
    if (out.empty()) return true;
    return give_back(names, out, outer, end);
  }
  bool give_back(const std::string& names, const std::vector<PassedVariable>& out, bool outer, const std::string& end) {
    const sv language = tree_.language().name;
    returned_ = "return " + names + end;
    before_call_ = names + " = ";
    if (language == "rust") returned_ = names;
    if (outer || language == "python") return out.size() == 1 || language == "python" || language == "go";
    const bool changes =
        std::any_of(out.begin(), out.end(), [&](const auto& one) { return is_changed(*one.variable); });
    if (language == "go") {
      before_call_ = names + " := ";
    } else if (language == "rust") {
      before_call_ = std::string(changes ? "let mut " : "let ") + names + " = ";
    } else if (language == "java" || language == "c" || language == "cpp") {
      before_call_ = types_ + (types_.ends_with('*') ? "" : " ") + names + " = ";
    } else {
      const std::string list = out.size() == 1 ? names : "{ " + names + " }";
      returned_ = "return " + list + end;
      before_call_ = std::string(changes ? "let " : "const ") + list + " = ";
    }
    return true;
  }
  // Behind the statements, where it lives on.
  bool is_changed(const Variable& variable) const {
    return std::any_of(variable.occurrences.begin(), variable.occurrences.end(), [&](const Occurrence& one) {
      return one.role != NameRole::read && begin_of(one.node) >= statements_.span.end;
    });
  }

  // The statements with the new function's indentation; false: a line is indented less than the first.
  bool find_body() {
    const std::string unit = indent_style_of(text_).unit(), old = indent_of_call(), now = std::string(indent_) + unit;
    const std::string end = newline();
    for (std::size_t at = statements_.lines.begin; at < statements_.lines.end;) {
      const std::size_t stop = std::min(text_.find('\n', at), statements_.lines.end);
      const sv line = right_stripped(text_.substr(at, stop - at));
      at = stop + 1;
      if (!line.empty() && !line.starts_with(old)) return false;
      body_ += (line.empty() ? std::string() : now + std::string(line.substr(old.size()))) + end;
    }
    if (!returned_.empty()) body_ += now + returned_ + end;
    return true;
  }
  std::string newline() const { return std::string(newline_of(text_)); }

  SlotChange declaration() const {
    const std::string end = newline(), in(indent_);
    const auto [before, behind] = signature_around(tree_, scope_.function, types_);
    std::vector<SlotPiece> pieces;
    if (form_.where == Where::behind)
      pieces.push_back({end + end + in + before, 0});
    else
      pieces.push_back({in + before, 0});
    std::string rest = "(" + parameters_ + ")" + behind + (form_.braces ? " {" : ":") + end + body_;
    if (form_.braces) rest += in + "}";
    if (form_.where == Where::behind) return {at_, at_, {pieces[0], {rest}}};
    rest += form_.braces ? end + end : end + end;
    return {at_, at_, {pieces[0], {rest}}};
  }

  const Tree& tree_;
  const sv text_;
  const FunctionScope& scope_;
  const Statements& statements_;
  const Passing& passing_;
  const FormRow& form_;
  bool is_method_ = false;
  std::size_t at_ = 0;
  sv indent_;
  std::string parameters_, arguments_, types_, returned_, before_call_, call_, body_;
  std::vector<const Variable*> referred_;
};

}  // namespace

std::optional<SlotPlan> extraction(const Tree& tree, const FunctionScope& scope, const Statements& statements,
                                   const Passing& passing) {
  const auto* form = std::find_if(std::begin(kForms), std::end(kForms),
                                  [&](const FormRow& row) { return row.language == tree.language().name; });
  if (form == std::end(kForms)) return std::nullopt;
  return Writer(tree, scope, statements, passing, *form).plan();
}

}  // namespace cinnabar::daemon
