// Plans of more than a cursor: a function's body, and every hole of a selection.
#include <algorithm>

#include "base/text.h"
#include "daemon/syntax/functions.h"
#include "daemon/syntax/plan.h"
#include "daemon/syntax/plan_rules.h"

namespace cinnabar::daemon::syntax {
namespace {

// The one hole that a cursor at `at` would get, when it is a body or stub.
std::optional<Hole> body_at(const Tree& tree, std::size_t at, const PlanOptions& options) {
  Plan plan = plan_at(tree, at, options);
  if (plan.empty()) return std::nullopt;
  const HoleKind kind = plan.holes.front().kind;
  if (kind != HoleKind::body && kind != HoleKind::stub) return std::nullopt;
  return std::move(plan.holes.front());
}

TSNode body_of(const Language& language, TSNode function) {
  const TSNode field = ts_node_child_by_field_name(function, "body", 4);
  if (!ts_node_is_null(field)) return field;
  for (std::uint32_t i = ts_node_named_child_count(function); i-- > 0;) {
    const TSNode child = ts_node_named_child(function, i);
    if (contains(language.blocks, kind_of(child))) return child;
  }
  return field;
}

// Where a cursor has to stand to ask for the body of the function `node`: inside it, or behind its header.
std::vector<std::size_t> body_places(const Tree& tree, TSNode node) {
  const std::string_view text = tree.text();
  std::vector<std::size_t> places;
  const TSNode body = body_of(tree.language(), node);
  if (!ts_node_is_null(body)) {
    const std::size_t first = text.find_first_not_of(" \t\r\n\f{", begin_of(body));
    if (first < end_of(body)) places.push_back(line_end(text, first));
    places.push_back(std::min(begin_of(body) + (text[begin_of(body)] == '{' ? 1 : 0), text.size()));
  }
  places.push_back(line_end(text, begin_of(node)));
  if (end_of(node) > begin_of(node)) places.push_back(line_end(text, end_of(node) - 1));
  return places;
}

// An empty body's blank lines go, up to the line of its closer.
Hole without_blank_lines(std::string_view text, Hole hole) {
  if (hole.kind != HoleKind::body || !hole.closer_given) return hole;
  const std::size_t next = text.find_first_not_of(" \t\r\n\f", hole.end);
  if (next == std::string_view::npos || !text.substr(next).starts_with(hole.closer)) return hole;
  const std::size_t begin = line_begin(text, next);
  if (begin > hole.end) hole.end = line_end(text, line_begin(text, begin - 1));
  return hole;
}

std::optional<Hole> function_hole(const Tree& tree, TSNode node, const PlanOptions& options) {
  const std::string_view text = tree.text();
  for (const std::size_t at : body_places(tree, node)) {
    auto hole = body_at(tree, at, options);
    if (!hole || hole->begin < begin_of(node) || hole->begin > line_end(text, end_of(node))) continue;
    // The body of a statement in the function is not the function's.
    if (hole->indent > indent_width(text.substr(line_begin(text, begin_of(node))))) continue;
    // A note in the body is what the body is to become.
    const std::size_t behind = text.find_first_not_of(" \t\r\n\f", hole->end);
    if (hole->kind == HoleKind::body && behind < text.size() && is_mark(text.substr(behind))) {
      auto stub = body_at(tree, line_end(text, behind), options);
      if (stub && stub->kind == HoleKind::stub) return stub;
    }
    return without_blank_lines(text, *std::move(hole));
  }
  return std::nullopt;
}

Hole mark_hole(const Tree& tree, TSNode comment, const PlanOptions& options) {
  const std::string_view text = tree.text();
  Hole hole;
  hole.begin = begin_of(comment);
  hole.end = hole.begin + right_stripped(text.substr(hole.begin, end_of(comment) - hole.begin)).size();
  hole.kind = HoleKind::mark;
  hole.until = Until::statement;
  hole.indent = indent_width(text.substr(line_begin(text, hole.begin)));
  hole.max_lines = options.max_lines;
  hole.shown = std::string(text.substr(hole.begin, hole.end - hole.begin));
  return hole;
}

// Whether no line from the cursor's to `token`'s is blank: its own line, or its documentation's.
bool leads_to(std::string_view text, std::size_t cursor, const Token& token) {
  for (std::size_t at = line_begin(text, cursor); at < token.span.begin;) {
    if (is_blank(text.substr(at, line_end(text, at) - at))) return false;
    const std::size_t newline = text.find('\n', at);
    if (newline == std::string_view::npos) break;
    at = newline + 1;
  }
  return true;
}

// A body of something else than a function that says itself that it is to be written. `pass` in a handler, or an
// exception thrown in a branch, is what its author meant.
std::optional<Hole> unwritten_block(const Tree& tree, TSNode node, const PlanOptions& options) {
  const std::string_view text = tree.text();
  const std::string_view header = text.substr(line_begin(text, right_stripped(text.substr(0, begin_of(node))).size()));
  if (contains(tree.language().idle_headers, first_word(header.substr(0, header.find('\n'))))) return std::nullopt;
  const std::string_view block = text.substr(begin_of(node), end_of(node) - begin_of(node));
  const std::size_t first = block.find_first_not_of(" \t\r\n\f{");
  if (first == std::string_view::npos) return std::nullopt;
  const std::string_view statement = block.substr(first);
  constexpr std::string_view kAsking[] = {"...", "todo!(", "TODO("};
  if (std::none_of(std::begin(kAsking), std::end(kAsking), [&](auto word) { return statement.starts_with(word); }))
    return std::nullopt;
  auto hole = body_at(tree, line_end(text, begin_of(node) + first), options);
  return hole && hole->kind == HoleKind::stub ? hole : std::nullopt;
}

}  // namespace

Plan plan_function(const Tree& tree, std::size_t cursor, const PlanOptions& options) {
  Plan plan{&tree.language(), {}};
  const std::string_view text = tree.text();
  // A cursor before the first character or in the documentation above means the function below; one on a blank line
  // does not.
  std::vector<std::size_t> from{std::min(cursor, text.size())};
  const auto next = token_behind(tree, from.front());
  if (next && leads_to(text, from.front(), *next)) from.push_back(next->span.begin);
  for (const std::size_t at : from) {
    const auto path = path_to(tree, at, at);
    for (std::size_t i = path.size(); i-- > 0;) {
      const TSNode node = path[i];
      if (!ts_node_is_named(node) || !is_function_kind(kind_of(node))) continue;
      if (auto hole = function_hole(tree, node, options)) {
        plan.holes.push_back(*std::move(hole));
        return plan;
      }
    }
    if (auto hole = body_at(tree, line_end(text, at), options)) {
      plan.holes.push_back(*std::move(hole));
      return plan;
    }
  }
  return plan;
}

Plan plan_selection(const Tree& tree, std::size_t begin, std::size_t end, std::size_t most,
                    const PlanOptions& options) {
  Plan plan{&tree.language(), {}};
  std::vector<Hole> found;
  each_node(tree.root(), begin, end, [&](TSNode node) {
    if (found.size() >= 4 * most || !ts_node_is_named(node)) return found.size() < 4 * most;
    const std::string_view kind = kind_of(node);
    if (contains(tree.language().comments, kind)) {
      if (begin_of(node) >= begin && is_mark(tree.text().substr(begin_of(node), end_of(node) - begin_of(node)))) {
        const auto stub = body_at(tree, line_end(tree.text(), begin_of(node)), options);
        found.push_back(stub && stub->kind == HoleKind::stub ? *stub : mark_hole(tree, node, options));
      }
    } else if (is_function_kind(kind)) {
      if (auto hole = function_hole(tree, node, options)) found.push_back(*std::move(hole));
    } else if (contains(tree.language().blocks, kind)) {
      if (auto hole = unwritten_block(tree, node, options)) found.push_back(*std::move(hole));
    }
    return true;
  });
  std::stable_sort(found.begin(), found.end(), [](const Hole& a, const Hole& b) { return a.begin < b.begin; });
  for (Hole& hole : found) {
    const bool inside = hole.begin >= begin && hole.end <= end;
    const bool apart = plan.holes.empty() || hole.begin >= plan.holes.back().end + (hole.begin == hole.end ? 1 : 0);
    if (inside && apart && plan.holes.size() < most) plan.holes.push_back(std::move(hole));
  }
  return plan;
}

}  // namespace cinnabar::daemon::syntax
