// "Add a test of this function": a function with one assertion at the file's end, or in the module that holds a Rust file's
// tests, whose values the model chooses. Only in languages whose own assertion needs nothing that the file does not have.
#include <algorithm>
#include <cctype>

#include "base/line_ends.h"
#include "base/text.h"
#include "daemon/editing/refactorings.h"
#include "daemon/syntax/functions.h"
#include "daemon/syntax/parameters.h"

namespace cinnabar::daemon {
namespace {

using namespace syntax;
using sv = std::string_view;

// `$` is the function's name, `^` the same with a capital; the model goes on behind `asked`.
struct TestRow {
  sv language, test, before, asked, closing, behind;
  int open;  // brackets that `asked` leaves open
  sv needs;  // what the file has to contain
};
constexpr TestRow kTests[] = {
    {"python", "test_$", "\n\ndef test_$():\n", "    assert $(", "", "\n", 1, ""},
    {"javascript", "test^", "\nfunction test^() {\n", "  console.assert($(", ";", "\n}\n", 2, ""},
    {"typescript", "test^", "\nfunction test^(): void {\n", "  console.assert($(", ";", "\n}\n", 2, ""},
    {"typescriptreact", "test^", "\nfunction test^(): void {\n", "  console.assert($(", ";", "\n}\n", 2, ""},
    {"c", "test_$", "\nstatic void test_$(void) {\n", "  assert($(", ";", "\n}\n", 2, "#include <assert.h>"},
    {"cpp", "test_$", "\nstatic void test_$() {\n", "  assert($(", ";", "\n}\n", 2, "#include <cassert>"},
    {"rust", "test_$", "\n#[cfg(test)]\nmod tests {\n    use super::*;\n\n    #[test]\n    fn test_$() {\n",
     "        assert_eq!($(", ";", "\n    }\n}\n", 2, ""},
};
// In a module that is there: what stands in front of the name depends on what the module uses.
constexpr TestRow kInModule{"rust", "test_$", "\n#[test]\nfn test_$() {\n", "    assert_eq!($(", ";", "\n}\n", 2, ""};

std::string named(sv form, sv name) {
  std::string out;
  for (const char c : form) {
    if (c == '$') {
      out += name;
    } else if (c == '^') {
      out += static_cast<char>(std::toupper(static_cast<unsigned char>(name.front())));
      out += name.substr(1);
    } else {
      out += c;
    }
  }
  return out;
}

// One line that closes what is open and compares.
Slot assertion_slot(const TestRow& row) {
  Slot slot;
  slot.required = true;
  slot.max_tokens = 64;
  slot.candidates = 2;
  slot.fit = [open = row.open, closing = std::string(row.closing),
              rust = row.language == "rust"](sv text) -> std::optional<std::string> {
    std::string line(stripped(text.substr(0, text.find('\n'))));
    int depth = open;
    for (const char c : line) {
      depth += sv("([{").find(c) != sv::npos ? 1 : sv(")]}").find(c) != sv::npos ? -1 : 0;
      if (depth < 0) return std::nullopt;
    }
    if (depth != 0 || line.empty()) return std::nullopt;
    if (!closing.empty() && !line.ends_with(closing)) line += closing;
    const bool compares = rust ? line.find("), ") != std::string::npos : line.find("==") != std::string::npos;
    return compares ? std::optional(line) : std::nullopt;
  };
  return slot;
}

// Behind all else, but in front of what runs the file.
std::size_t place_in(const Tree& tree) {
  for (const TSNode child : named_children(tree.root())) {
    if (kind_of(child) == "if_statement" && text_of(tree, child).find("__name__") != sv::npos) return begin_of(child);
  }
  return tree.text().size();
}

// The body of #[cfg(test)] mod tests { ... }; null: there is none.
TSNode test_module(const Tree& tree) {
  bool marked = false;
  for (const TSNode child : named_children(tree.root())) {
    const sv text = text_of(tree, child);
    if (kind_of(child) == "mod_item" && marked) return field_of(child, "body");
    marked = kind_of(child) == "attribute_item" ? marked || text.find("cfg(test)") != sv::npos : false;
  }
  return TSNode{};
}

std::string indented(sv text, sv indent) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    if (text[at] != '\n') out += indent;
    out += text.substr(at, end - at);
    at = end;
  }
  return out;
}

// The test behind all else in the module; none where it ends on the line on which something else stands.
std::optional<SlotChange> in_module(const Tree& tree, TSNode module, sv name) {
  const sv text = tree.text(), body = text_of(tree, module);
  const std::size_t at = line_begin(text, end_of(module) - 1);
  if (at <= begin_of(module) || !is_blank(text.substr(at, end_of(module) - 1 - at))) return std::nullopt;
  const sv indent = indentation_of(text.substr(line_begin(text, begin_of(module))));
  const std::string unit = indent_style_of(text).unit(), inner = std::string(indent) + unit;
  const std::string asked = unit + std::string(stripped(kInModule.asked));
  const std::string called = (body.find("super::*") == sv::npos ? "super::" : "") + std::string(name);
  const bool first = named_children(module).empty();
  return SlotChange{
      at,
      at,
      {{indented(named(kInModule.before.substr(first ? 1 : 0), name), inner) + indented(named(asked, called), inner),
        0},
       {"\n" + indented(kInModule.behind.substr(1), inner)}}};
}

}  // namespace

std::optional<SlotPlan> plan_test_stub(const Tree& tree, Span selection) {
  const auto* row = std::find_if(std::begin(kTests), std::end(kTests),
                                 [&](const TestRow& one) { return one.language == tree.language().name; });
  const auto function = row == std::end(kTests) ? std::nullopt : function_around(tree, selection.begin);
  if (!function || !is_there(function->body) || has_damage(tree.root()) ||
      is_there(ts_node_parent(ts_node_parent(function->whole))))
    return std::nullopt;
  const sv text = tree.text(), name = text_of(tree, function->name);
  if (!is_identifier(name) || name.starts_with("test") || name == "main" || text.find(row->needs) == sv::npos ||
      !returns_value(tree, *function) || kind_of(function->node).find("method") != sv::npos)
    return std::nullopt;
  const sv head = text.substr(begin_of(function->node), begin_of(function->parameters) - begin_of(function->node));
  if (head.find("async") != sv::npos || text.find(named(row->test, name)) != sv::npos) return std::nullopt;
  SlotPlan plan;
  plan.slots.push_back(assertion_slot(*row));
  plan.footprint = {begin_of(function->node), text.size()};
  if (const TSNode module = row->language == "rust" ? test_module(tree) : TSNode{}; is_there(module)) {
    auto change = in_module(tree, module, name);
    if (!change) return std::nullopt;
    plan.changes.push_back(*std::move(change));
    return plan;
  }
  const std::size_t at = place_in(tree);
  const std::string tail = at < text.size() ? "\n\n" : "";
  std::string lead = at > 0 && text[at - 1] != '\n' ? "\n" : "";
  sv before = row->before;
  const std::string above = with_line_ends(text.substr(0, at), false);
  for (std::size_t i = above.size(); i > 1 && above[i - 1] == '\n' && above[i - 2] == '\n' && before.starts_with('\n');
       --i)
    before.remove_prefix(1);  // that blank line is there
  plan.changes.push_back(
      {at, at, {{lead + named(before, name) + named(row->asked, name), 0}, {std::string(row->behind) + tail}}});
  return plan;
}

}  // namespace cinnabar::daemon
