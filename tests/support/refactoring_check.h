// Refactorings over real code, with words of a list in place of a model's: where they might be done, and what must hold of
// each that is. For tests; not thread-safe.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/line_index.h"
#include "daemon/editing/refactorings.h"
#include "daemon/syntax/functions.h"
#include "daemon/syntax/scopes.h"
#include "tests/support/scripted_words.h"

namespace cinnabar::tests {

struct ParsedText {
  const daemon::syntax::Language& language;
  std::string text;
  LineIndex lines;
  daemon::syntax::TreePtr tree;
  ParsedText(const daemon::syntax::Language& of, std::string of_text)
      : language(of), text(std::move(of_text)), lines(text), tree(daemon::syntax::Tree::parse(language, text, lines)) {}
  int errors() const { return tree ? daemon::syntax::damage_of(*tree).count() : 0; }
};

// One of which fits each slot.
inline const std::vector<std::string>& refactoring_words() {
  static const std::vector<std::string> words = {"chosen_name", "int",     "number",  "1) == 2",
                                                 "1) == 2);",   "1), 2);", "stop();", "Says what it does"};
  return words;
}

// Places where something might be done, at most so many: the statements of functions, alone and with the next ones, the
// functions themselves, and every so many expressions.
inline std::vector<daemon::syntax::Span> selections_in(const daemon::syntax::Tree& tree, std::size_t most,
                                                       std::size_t together, std::size_t every) {
  namespace syntax = daemon::syntax;
  std::vector<syntax::Span> found;
  const syntax::ScopeRules* rules = syntax::scope_rules(tree.language());
  std::size_t count = 0;
  syntax::each_node(tree.root(), 0, tree.text().size(), [&](TSNode node) {
    if (found.size() >= most) return false;
    const auto kind = syntax::kind_of(node);
    if (rules != nullptr && syntax::contains(rules->containers, kind)) {
      const auto children = syntax::named_children(node);
      for (std::size_t i = 0; i < children.size(); ++i) {
        for (std::size_t last = i; last < std::min(children.size(), i + together); ++last)
          found.push_back({syntax::begin_of(children[i]), syntax::end_of(children[last])});
      }
    } else if (ts_node_is_named(node) && syntax::is_function_kind(kind)) {
      found.push_back({syntax::begin_of(node), syntax::begin_of(node)});
    } else if (ts_node_is_named(node) && ++count % every == 0) {
      found.push_back({syntax::begin_of(node), syntax::end_of(node)});
    }
    return true;
  });
  return found;
}

inline std::multiset<std::string> lines_without_blanks(const std::string& text) {
  std::multiset<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const auto line = stripped(std::string_view(text).substr(at, end - at));
    if (!line.empty()) lines.emplace(line);
    at = end + 1;
  }
  return lines;
}

// What is wrong with the changes as such: out of order, out of what the edit stands on, not to be undone.
inline std::string fault_of(const std::vector<TextChange>& changes, const std::string& before, const std::string& after,
                            daemon::syntax::Span footprint) {
  std::vector<TextChange> back;
  std::ptrdiff_t moved = 0;
  std::size_t last = 0;
  for (const TextChange& one : changes) {
    if (one.begin < last || one.end < one.begin || one.end > before.size()) return "its changes are out of order";
    if (one.begin < footprint.begin || one.end > footprint.end) return "it changes more than it stands on";
    const auto begin = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(one.begin) + moved);
    back.push_back({begin, begin + one.text.size(), before.substr(one.begin, one.end - one.begin)});
    moved += static_cast<std::ptrdiff_t>(one.text.size()) - static_cast<std::ptrdiff_t>(one.end - one.begin);
    last = one.end;
  }
  return daemon::with_changes(after, back) == before ? "" : "undone it is another text";
}

// What a refactoring may do to other text than its own.
inline std::string fault_of_kind(std::string_view id, const std::vector<TextChange>& changes, const std::string& before,
                                 const std::string& after) {
  const bool only_adds = id == "document" || id == "addTypes" || id == "testStub" || id == "addCases";
  if (only_adds && std::any_of(changes.begin(), changes.end(), [](const auto& one) { return one.begin != one.end; }))
    return "it replaces text";
  if (id == "betterName") {
    const std::string old = before.substr(changes.front().begin, changes.front().end - changes.front().begin);
    for (const TextChange& one : changes) {
      if (before.substr(one.begin, one.end - one.begin) != old) return "it replaces more than one name";
    }
  }
  if (id == "extractFunction") {  // every line is there still, and few more
    const auto old = lines_without_blanks(before), now = lines_without_blanks(after);
    if (!std::includes(now.begin(), now.end(), old.begin(), old.end())) return "a line is lost";
    if (now.size() > old.size() + 4) return "there are too many lines more";
  }
  return {};
}

// What is wrong with the refactoring at the selection; empty: nothing, or it is not offered. `made` gets what became of the
// text where something did; `seen` leaves out what was looked at before.
using SeenEdits = std::set<std::tuple<std::string_view, std::size_t, std::size_t, std::size_t>>;
inline std::string fault_of(const daemon::Refactoring& refactoring, const ParsedText& parsed,
                            daemon::syntax::Span selection, SeenEdits& seen, std::optional<std::string>& made) {
  made.reset();
  if (refactoring.by_selection && selection.begin == selection.end) return {};
  auto plan = refactoring.plan(*parsed.tree, selection);
  if (!plan ||
      !seen.emplace(refactoring.id, plan->changes.front().begin, plan->changes.back().end, plan->changes.size()).second)
    return {};
  daemon::SlotEdit edit(parsed.language, parsed.text, *std::move(plan), {});
  const auto after = made_with(edit, parsed.text, refactoring_words(), true);
  // The critic has the last word, but a plan's structure must not need it.
  if (!after) return after.message() == "the file would parse worse with the model's answer" ? after.message() : "";
  made = *after;
  if (ParsedText(parsed.language, *after).errors() > parsed.errors()) return "it parses worse";
  const auto changes = edit.changes();
  const std::string fault = fault_of(*changes, parsed.text, *after, edit.footprint());
  return fault.empty() ? fault_of_kind(refactoring.id, *changes, parsed.text, *after) : fault;
}

}  // namespace cinnabar::tests
