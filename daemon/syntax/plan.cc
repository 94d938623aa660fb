#include "daemon/syntax/plan.h"

#include <algorithm>

#include "base/text.h"
#include "daemon/syntax/plan_rules.h"

namespace cinnabar::daemon::syntax {
namespace {

std::size_t hole_end(const CursorFacts& facts) { return facts.blank_after() ? facts.line.end : facts.cursor; }

int line_indent(const CursorFacts& facts) { return indent_width(facts.text.substr(facts.line.begin)); }

Hole basic_hole(const CursorFacts& facts, HoleKind kind, Until until) {
  Hole hole;
  hole.begin = facts.cursor;
  hole.end = hole_end(facts);
  hole.kind = kind;
  hole.until = until;
  hole.indent = line_indent(facts);
  return hole;
}

Plan one(const Language* language, Hole hole) { return Plan{language, {std::move(hole)}}; }

// What opens documentation at the start of `comment`; empty when it is an ordinary comment.
std::string_view doc_opener(const Language& language, std::string_view comment) {
  for (const std::string_view opener : language.doc_openers) {
    if (comment.starts_with(opener)) return opener;
  }
  return {};
}

// In Go every comment right above a declaration documents it.
bool documents(const Tree& tree, const CursorFacts& facts, std::string_view opener) {
  if (opener != tree.language().line_comment) return true;
  return facts.next && contains(tree.language().header_words, facts.next->kind) &&
         facts.next_line_indent() == line_indent(facts);
}

std::optional<Plan> plan_in_comment(const Tree& tree, const CursorFacts& facts, const PlanOptions& options) {
  if (!facts.comment) return std::nullopt;
  const Language& language = tree.language();
  const Span span = *facts.comment;
  const std::string_view comment = facts.text.substr(span.begin, span.end - span.begin);
  if (is_mark(comment) && options.stubs) {
    if (const auto stub = stub_at(tree, facts)) {
      Hole hole = body_hole(stub->first, stub->second, HoleKind::stub, options);
      hole.shown = std::string(notes_of(language, facts.text.substr(hole.begin, hole.end - hole.begin)));
      return one(&language, std::move(hole));
    }
  }
  if (!options.in_comments) return Plan{&language, {}};
  const std::string_view opener = doc_opener(language, comment);
  const bool doc = !opener.empty() && documents(tree, facts, opener);
  const bool block_comment = comment.starts_with("/*") || comment.starts_with("<!--") || comment.starts_with("--[");
  Hole hole = basic_hole(facts, doc ? HoleKind::doc_comment : HoleKind::comment, Until::line);
  if (block_comment) {
    hole.closer = comment.starts_with("/*") ? "*/" : comment.starts_with("<!--") ? "-->" : "]]";
    hole.closer_given = comment.ends_with(hole.closer);
  }
  if (doc) {
    const bool told = !is_blank(facts.after) && !facts.after.starts_with("*/") && stripped(facts.after) != "*/";
    if (!told) hole.until = Until::comment;
    hole.max_lines = told ? 1 : options.max_lines;
  }
  return one(&language, std::move(hole));
}

std::string_view closing_quote(std::string_view literal) {
  for (const std::string_view quotes : {"\"\"\"", "'''"}) {
    if (literal.ends_with(quotes) && literal.size() >= 6) return quotes;
  }
  return literal.empty() ? literal : literal.substr(literal.size() - 1);
}

// Whether the string that begins on the cursor's line was never closed there: the quote that closes it in the tree is one
// further down. Those that are meant to span lines are asked by what the document would be with the closer.
bool is_left_open(const Tree& tree, const CursorFacts& facts, Span literal, std::string_view quote) {
  if (literal.begin < facts.line.begin || literal.end <= facts.line.end) return false;
  if (quote == "\"" || quote == "'") return true;
  if (quote.size() != 3) return false;
  const LineIndex lines(facts.text);
  std::string text(facts.text);
  text.insert(facts.line.end, quote);
  LineIndex after = lines;
  const ByteEdit edit{facts.line.end, facts.line.end, facts.line.end + quote.size()};
  after.update(text, edit.begin, edit.old_end, edit.new_end);
  const TreePtr closed = tree.follow(edit, lines, text, after);
  return closed && damage_of(*closed).count() < damage_of(tree).count();
}

std::optional<Plan> plan_in_string(const Tree& tree, const CursorFacts& facts, const PlanOptions& options) {
  if (!facts.string) return std::nullopt;
  const Span span = *facts.string;
  const std::string_view literal = facts.text.substr(span.begin, span.end - span.begin);
  const std::string_view quote = closing_quote(literal);
  const bool triple = quote.size() == 3;
  const auto before = token_before(tree, span.begin);
  const bool doc = triple && tree.language().layout == Layout::indentation && (!before || before->kind == ":");
  if (!(doc ? options.in_comments : options.in_strings)) return Plan{&tree.language(), {}};
  if (facts.cursor > span.end - quote.size()) return std::nullopt;
  Hole hole = basic_hole(facts, doc ? HoleKind::doc_comment : HoleKind::string, Until::string);
  hole.closer = quote;
  hole.closer_given = !is_left_open(tree, facts, span, quote);
  if (!hole.closer_given && !doc) hole.until = Until::line;
  if (doc && (is_blank(facts.after) || stripped(facts.after) == quote)) {
    hole.until = Until::comment;
    hole.max_lines = options.max_lines;
  }
  return one(&tree.language(), std::move(hole));
}

// Whether the lines behind the cursor's go on with what stands on it, or have its body already.
bool goes_on_behind(const Tree& tree, const CursorFacts& facts, int indent) {
  const std::string_view behind = facts.text.substr(facts.next_line);
  const bool brace =
      tree.language().layout == Layout::braces && stripped(behind.substr(0, behind.find('\n'))).starts_with("{");
  return brace || facts.next_line_indent() > indent;
}

// Inside brackets that hold no statements.
std::optional<Plan> plan_in_brackets(const Tree& tree, const CursorFacts& facts, const PlanOptions& options) {
  if (facts.open.empty() || facts.open.back().block) return std::nullopt;
  const Opener& opener = facts.open.back();
  if (tree.language().layout == Layout::markup && opener.pair->open == "</") return std::nullopt;
  const std::size_t next = facts.text.find_first_not_of(" \t\r\n\f", facts.cursor);
  const bool closer_next = opener.closer && next == opener.closer->begin;
  Hole hole = basic_hole(facts, HoleKind::arguments, Until::bracket);
  hole.closer = opener.pair->close;
  hole.closer_given = opener.closer.has_value();
  hole.indent = opener.anchor;
  if (closer_next) {
    hole.max_lines = options.max_lines;
    return one(&tree.language(), std::move(hole));
  }
  if (!facts.blank_after()) {
    hole.kind = HoleKind::middle;
    hole.until = Until::line;
    return one(&tree.language(), std::move(hole));
  }
  if (hole.closer_given || goes_on_behind(tree, facts, hole.indent)) {  // more follows on the next lines
    hole.until = Until::line;
    return one(&tree.language(), std::move(hole));
  }
  hole.until = Until::statement;
  hole.max_lines = options.max_lines;
  return one(&tree.language(), std::move(hole));
}

std::optional<Plan> plan_body(const Tree& tree, const CursorFacts& facts, const PlanOptions& options) {
  if (const auto stub = options.stubs ? stub_at(tree, facts) : std::nullopt) {
    Hole hole = body_hole(stub->first, stub->second, HoleKind::stub, options);
    const std::string_view old = facts.text.substr(hole.begin, hole.end - hole.begin);
    if (begins_comment(tree.language(), old)) hole.shown = std::string(notes_of(tree.language(), old));
    hole.begin = std::min(hole.begin, facts.cursor);
    hole.end = std::max(hole.end, facts.cursor);
    return one(&tree.language(), std::move(hole));
  }
  if (const auto body = empty_body_at(tree, facts)) {
    return one(&tree.language(), body_hole(*body, {facts.cursor, hole_end(facts)}, HoleKind::body, options));
  }
  return std::nullopt;
}

// The content of an element, between its tags.
std::optional<Plan> plan_in_element(const Tree& tree, const CursorFacts& facts, const PlanOptions& options) {
  if (tree.language().layout != Layout::markup) return std::nullopt;
  const auto path = path_to(tree, facts.cursor, facts.cursor);
  for (std::size_t i = path.size(); i-- > 0;) {
    const TSNode node = path[i];
    const std::uint32_t count = ts_node_child_count(node);
    if (!kind_of(node).ends_with("element") || count < 2) continue;
    const TSNode open = ts_node_child(node, 0), close = ts_node_child(node, count - 1);
    if (kind_of(close) != "end_tag" || facts.cursor < end_of(open) || facts.cursor > begin_of(close)) continue;
    const bool all_blank = is_blank(facts.text.substr(end_of(open), begin_of(close) - end_of(open)));
    if (!all_blank) return std::nullopt;
    Hole hole = basic_hole(facts, HoleKind::body, Until::block);
    hole.closer = facts.text.substr(begin_of(close), end_of(close) - begin_of(close));
    hole.closer_given = true;
    hole.indent = indent_width(facts.text.substr(line_begin(facts.text, begin_of(open))));
    hole.max_lines = options.max_lines;
    return one(&tree.language(), std::move(hole));
  }
  return std::nullopt;
}

// Whether a line of `place`'s indentation stands in a class, in a language of indentation.
bool among_members(const Tree& tree, const CursorFacts& facts) {
  if (!facts.previous) return false;
  const int indent = indent_width(facts.before);
  bool members = false;
  for (const TSNode node : path_to(tree, facts.previous->span.begin, facts.previous->span.end)) {
    const std::string_view kind = kind_of(node);
    if (kind != "class_definition" && kind != "function_definition") continue;
    if (indent_width(facts.text.substr(line_begin(facts.text, begin_of(node)))) < indent)
      members = kind == "class_definition";
  }
  return members;
}

// Columns of the last line in front of the cursor's that is not blank.
int indent_above(const CursorFacts& facts) {
  const std::string_view above = right_stripped(facts.text.substr(0, facts.line.begin));
  return indent_width(above.substr(line_begin(above, above.size())));
}

Hole line_hole(const Tree& tree, const CursorFacts& facts, bool members, const PlanOptions& options) {
  if (!facts.blank_after()) return basic_hole(facts, HoleKind::middle, Until::line);
  const bool empty_line = facts.blank_before();
  Hole hole = basic_hole(facts,
                         !empty_line ? HoleKind::line
                         : members   ? HoleKind::member
                                     : HoleKind::statement,
                         Until::statement);
  // A line without any indentation may only not have got its own yet.
  const int indent = empty_line && facts.before.empty() ? indent_above(facts) : hole.indent;
  if (goes_on_behind(tree, facts, indent)) hole.until = Until::line;
  hole.max_lines = hole.until == Until::line ? 1 : options.max_lines;
  return hole;
}

}  // namespace

std::string_view name(HoleKind kind) {
  constexpr std::string_view kNames[] = {"line",   "statement",   "member",  "body",   "stub", "arguments",
                                         "middle", "doc_comment", "comment", "string", "mark"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string_view name(Until until) {
  constexpr std::string_view kNames[] = {"line", "statement", "block", "bracket", "comment", "string"};
  return kNames[static_cast<std::size_t>(until)];
}

Plan plan_at(std::string_view text, std::size_t cursor, const PlanOptions&) {
  const CursorFacts facts = facts_at(text, cursor);
  return one(nullptr, basic_hole(facts, facts.blank_after() ? HoleKind::line : HoleKind::middle, Until::line));
}

Plan plan_at(const Tree& tree, std::size_t cursor, const PlanOptions& options) {
  const CursorFacts facts = facts_at(tree, cursor);
  if (auto plan = plan_in_comment(tree, facts, options)) return *std::move(plan);
  if (auto plan = plan_in_string(tree, facts, options)) return *std::move(plan);
  if (auto plan = plan_in_brackets(tree, facts, options)) return *std::move(plan);
  if (auto plan = plan_in_element(tree, facts, options)) return *std::move(plan);
  if (auto plan = plan_body(tree, facts, options)) return *std::move(plan);
  const bool members = tree.language().layout == Layout::indentation ? among_members(tree, facts)
                                                                     : !facts.open.empty() && facts.open.back().members;
  Hole hole = line_hole(tree, facts, members, options);
  if (!facts.open.empty()) {
    hole.closer = facts.open.back().pair->close;
    hole.closer_given = facts.open.back().closer.has_value();
  }
  return one(&tree.language(), std::move(hole));
}

std::string describe(const Plan& plan, std::string_view text) {
  const LineIndex lines(text);
  const auto place = [&](std::size_t at) {
    const std::size_t line = lines.line_of(at);
    return std::to_string(line + 1) + ":" + std::to_string(at - lines.line_begin(line) + 1);
  };
  std::string out;
  for (const Hole& hole : plan.holes) {
    out += std::string(name(hole.kind)) + " " + place(hole.begin) + "-" + place(hole.end) +
           " until=" + std::string(name(hole.until));
    if (!hole.closer.empty()) out += " closer=" + hole.closer + (hole.closer_given ? " given" : " wanted");
    out += " indent=" + std::to_string(hole.indent) + " lines=" + std::to_string(hole.max_lines);
    if (!hole.shown.empty()) out += " shown";
    out += "\n";
  }
  return out;
}

}  // namespace cinnabar::daemon::syntax
