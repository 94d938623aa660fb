#include "daemon/syntax/plan_rules.h"

#include <algorithm>

#include "base/text.h"

namespace cinnabar::daemon::syntax {
namespace {

std::string_view line_at(std::string_view text, std::size_t at) {
  const std::size_t begin = line_begin(text, at);
  return text.substr(begin, line_end(text, at) - begin);
}

// The statement that ends with the header token `colon` in a language of indentation.
std::optional<int> header_anchor(const Tree& tree, const Token& colon) {
  const std::string_view text = tree.text();
  if (colon.kind != ":") return std::nullopt;
  const std::string_view line = line_at(text, colon.span.begin);
  const auto path = path_to(tree, colon.span.begin, colon.span.end);
  for (std::size_t i = path.size() - 1; i-- > 1;) {
    const TSNode node = path[i];
    if (is_error(node)) break;
    const std::string_view kind = kind_of(node);
    if (kind.ends_with("_statement") || kind.ends_with("_definition") || kind.ends_with("_clause"))
      return indent_width(line_at(text, begin_of(node)));
    if (kind != "block" && kind != "with_clause") return std::nullopt;  // a slice, a pair, a type
  }
  if (!contains(tree.language().header_words, first_word(line)) && !right_stripped(line).ends_with("):") &&
      line.find("->") == std::string_view::npos)
    return std::nullopt;
  return indent_width(line);
}

// A string that stands alone behind a header documents it.
std::optional<Token> header_behind_docstring(const Tree& tree, const Token& token) {
  if (!contains(tree.language().strings, token.kind)) return std::nullopt;
  const std::string_view text = tree.text();
  const std::string_view quotes = text.substr(token.span.begin, 3);
  if (quotes != "\"\"\"" && quotes != "'''") return std::nullopt;
  auto before = token_before(tree, token.span.begin);
  return before && before->kind == ":" ? before : std::nullopt;
}

std::optional<Body> empty_indented_body(const Tree& tree, const CursorFacts& facts) {
  auto header = facts.previous;
  if (header && header->kind != ":") header = header_behind_docstring(tree, *header);
  if (!header) return std::nullopt;
  const auto anchor = header_anchor(tree, *header);
  if (!anchor) return std::nullopt;
  const bool on_header_line = header->span.begin >= facts.line.begin;
  // On a line of its own the cursor shows how deep the user wants to be.
  if (!on_header_line && indent_width(facts.before) <= *anchor && !facts.before.empty()) return std::nullopt;
  if (!facts.blank_after() || facts.next_line_indent() > *anchor) return std::nullopt;
  const bool behind_docstring = facts.previous->span.end > facts.line.begin;
  if (!on_header_line && !facts.blank_before() && !behind_docstring) return std::nullopt;
  Body body{{header->span.end, facts.line.end}, *anchor, "", false, false};
  body.members = first_word(line_at(facts.text, header->span.begin)) == "class";
  return body;
}

// Whether `previous` ends the header of what `opener` opened.
bool ends_header(const Language& language, const CursorFacts& facts, const Opener& opener) {
  const Token& previous = *facts.previous;
  if (previous.span == opener.span) return true;
  if (contains(language.header_ends, previous.kind))
    return (previous.kind != "in" && previous.kind != "->") || previous.parent == opener.parent;
  if (!contains(language.line_headers, opener.pair->open)) return false;
  // A word's header is its line, and the cursor is behind that line.
  const std::size_t header_end = line_end(facts.text, opener.span.begin);
  return previous.span.end <= header_end && facts.cursor >= header_end;
}

std::optional<Body> empty_delimited_body(const Tree& tree, const CursorFacts& facts) {
  if (facts.open.empty() || !facts.previous) return std::nullopt;
  const Opener& opener = facts.open.back();
  if (!opener.block || !ends_header(tree.language(), facts, opener)) return std::nullopt;
  Body body{{facts.previous->span.end, facts.line.end},
            opener.anchor,
            std::string(opener.pair->close),
            false,
            opener.members};
  if (opener.closer) {
    body.closer_given = true;
    body.inner.end = opener.closer->begin;
  }
  const std::size_t next = facts.next ? facts.next->span.begin : facts.text.size();
  if (body.closer_given && next == opener.closer->begin) return body;
  // Nothing may follow that lies deeper than the statement: that would be the body.
  if (!facts.blank_after() || facts.next_line_indent() > opener.anchor) return std::nullopt;
  if (next < facts.line.end) return std::nullopt;
  return body;
}

}  // namespace

std::optional<Body> empty_body_at(const Tree& tree, const CursorFacts& facts) {
  if (!facts.previous) return std::nullopt;
  const Layout layout = tree.language().layout;
  if (layout == Layout::data || layout == Layout::markup) return std::nullopt;
  if (layout == Layout::indentation) return empty_indented_body(tree, facts);
  return empty_delimited_body(tree, facts);
}

namespace {

constexpr std::string_view kWhite = " \t\r\n\f";

// Without the documentation that a body of indentation may begin with.
std::string_view behind_docstring(std::string_view content) {
  for (const std::string_view quotes : {"\"\"\"", "'''"}) {
    if (!content.starts_with(quotes)) continue;
    const std::size_t end = content.find(quotes, quotes.size());
    if (end == std::string_view::npos) return content;
    const std::string_view rest = content.substr(end + quotes.size());
    return rest.substr(std::min(rest.find_first_not_of(kWhite), rest.size()));
  }
  return content;
}

// Where the comment at the start of `text` ends; 0: there is none.
std::size_t comment_end(const Language& language, std::string_view text) {
  if (!begins_comment(language, text)) return 0;
  if (!text.starts_with("/*")) return line_end(text, 0);
  const std::size_t end = text.find("*/");
  return end == std::string_view::npos ? 0 : end + 2;
}

bool is_stub_statement(const Language& language, std::string_view text) {
  return std::any_of(language.stubs.begin(), language.stubs.end(), [text](std::string_view pattern) {
    if (!text.starts_with(pattern)) return false;
    const std::string_view rest = text.substr(pattern.size());
    const bool whole_word = rest.empty() || pattern.back() == '(' ||
                            pattern.find_first_of(" \"'") != std::string_view::npos ||
                            std::string_view(" ;(\n\r").find(rest.front()) != std::string_view::npos;
    return whole_word && text.find('\n') == std::string_view::npos;
  });
}

}  // namespace

std::string_view notes_of(const Language& language, std::string_view stub) {
  std::size_t end = 0;
  for (std::size_t at = 0; at < stub.size() && is_mark(stub);) {
    const std::size_t comment = comment_end(language, stub.substr(at));
    if (comment == 0) break;
    end = at + right_stripped(stub.substr(at, comment)).size();
    at = std::min(stub.find_first_not_of(kWhite, at + comment), stub.size());
  }
  return stub.substr(0, end);
}

std::optional<Span> stub_in(const Language& language, std::string_view text, Span inner) {
  std::string_view stub = stripped(text.substr(inner.begin, inner.end - inner.begin));
  if (language.layout == Layout::indentation) stub = behind_docstring(stub);
  if (stub.empty()) return std::nullopt;
  const auto begin = static_cast<std::size_t>(stub.data() - text.data());
  const std::string_view notes = begins_comment(language, stub) ? notes_of(language, stub) : std::string_view();
  const std::string_view statement = stripped(stub.substr(notes.size()));
  if (statement.empty() ? notes.empty() : !is_stub_statement(language, statement)) return std::nullopt;
  return Span{begin, begin + stub.size()};
}

namespace {

// The block node of an indented body around the cursor's line, as a body.
std::optional<std::pair<Body, Span>> indented_stub(const Tree& tree, const CursorFacts& facts) {
  const std::size_t first = facts.text.find_first_not_of(" \t", facts.line.begin);
  if (first >= facts.line.end) return std::nullopt;
  // What stands on the line behind a header, or the line itself; below a note.
  std::size_t last = facts.text.find_last_not_of(" \t", facts.line.end - 1);
  if (facts.comment && facts.next) last = facts.next->span.begin;
  const auto path = path_to(tree, last, last + 1);
  for (std::size_t i = path.size(); i-- > 0;) {
    const TSNode node = path[i];
    if (kind_of(node) != "block") continue;
    const auto colon = token_before(tree, begin_of(node));  // the notes above a stub stand in front of its block
    const Span inner{colon ? colon->span.end : begin_of(node), end_of(node)};
    const auto stub = stub_in(tree.language(), facts.text, inner);
    if (!stub || stub->end < facts.line.begin || stub->begin > facts.line.end) return std::nullopt;
    const auto anchor = colon ? header_anchor(tree, *colon) : std::nullopt;
    if (!anchor) return std::nullopt;
    if (facts.cursor < stub->begin && facts.cursor < colon->span.end) return std::nullopt;
    return std::pair{Body{inner, *anchor, "", false, false}, *stub};
  }
  return std::nullopt;
}

}  // namespace

namespace {

// Notes alone in an indented body: the grammar has no block for them.
std::optional<std::pair<Body, Span>> indented_note(const Tree& tree, const CursorFacts& facts) {
  const std::string_view text = facts.text;
  const auto is_comment = [&](std::size_t begin) {
    return begins_comment(tree.language(), text.substr(std::min(text.find_first_not_of(" \t", begin), text.size())));
  };
  Span lines = facts.line;
  while (lines.begin > 0 && is_comment(line_begin(text, lines.begin - 1)))
    lines.begin = line_begin(text, lines.begin - 1);
  while (text.find('\n', lines.end) < text.size() && is_comment(text.find('\n', lines.end) + 1))
    lines.end = line_end(text, text.find('\n', lines.end) + 1);
  const std::size_t first = text.find_first_not_of(" \t", lines.begin);
  if (first >= lines.end) return std::nullopt;
  const std::size_t below = text.find_first_not_of(kWhite, lines.end);
  if (below < text.size() && indent_width(line_at(text, below)) >= indent_width(line_at(text, first)))
    return std::nullopt;
  auto colon = token_before(tree, first);
  if (colon && colon->kind != ":") colon = header_behind_docstring(tree, *colon);
  const auto anchor = colon ? header_anchor(tree, *colon) : std::nullopt;
  const auto note = stub_in(tree.language(), text, lines);
  if (!anchor || !note || colon->span.begin >= lines.begin) return std::nullopt;
  return std::pair{Body{lines, *anchor, "", false, false}, *note};
}

}  // namespace

std::optional<std::pair<Body, Span>> stub_at(const Tree& tree, const CursorFacts& facts) {
  if (tree.language().stubs.empty()) return std::nullopt;
  if (tree.language().layout == Layout::indentation) {
    if (auto note = facts.comment ? indented_note(tree, facts) : std::nullopt) return note;
    return indented_stub(tree, facts);
  }
  for (std::size_t i = facts.open.size(); i-- > 0;) {
    const Opener& opener = facts.open[i];
    if (!opener.closer) continue;
    if (!opener.block) continue;
    Span inner{opener.span.end, opener.closer->begin};
    if (opener.pair->open != "{") inner.begin = line_end(facts.text, opener.span.begin);
    if (inner.begin > inner.end) return std::nullopt;
    const auto stub = stub_in(tree.language(), facts.text, inner);
    if (!stub || stub->end < facts.line.begin || stub->begin > facts.line.end) return std::nullopt;
    return std::pair{Body{inner, opener.anchor, std::string(opener.pair->close), true, opener.members}, *stub};
  }
  return std::nullopt;
}

namespace {

// Bytes of the word at the begin of `words` that asks for work; 0: there is none.
std::size_t mark_size(std::string_view words) {
  for (const std::string_view word : {"TODO", "FIXME", "HOLE", "XXX", "...", "\u2026"}) {
    if (words.starts_with(word)) return word.size();
  }
  return 0;
}

}  // namespace

bool is_mark(std::string_view comment) {
  const std::size_t first = comment.find_first_not_of("/*#-<!; \t");
  if (first == std::string_view::npos) return false;
  return mark_size(comment.substr(first)) > 0;
}

std::string requirement_of(const Language& language, std::string_view notes) {
  std::string out;
  bool states = false;
  for (std::size_t at = 0; at < notes.size();) {
    const std::size_t end = std::min(notes.find('\n', at), notes.size());
    std::string_view line = notes.substr(at, end - at);
    at = end + 1;
    const std::size_t first = std::min(line.find_first_not_of("/*#-<!; \t"), line.size());
    std::string_view words = line.substr(first);
    if (is_mark(line)) {
      words.remove_prefix(mark_size(words));
      if (words.starts_with("(")) words.remove_prefix(std::min(words.find(')'), words.size() - 1) + 1);  // whose it is
      words.remove_prefix(std::min(words.find_first_not_of(":-. \t"), words.size()));
    }
    const std::string_view stated = words.substr(0, words.find_first_of("*-\r"));
    states = states || !is_blank(stated);
    out += line.substr(0, first);
    out += words;
    if (at <= notes.size()) out += '\n';
  }
  return states && begins_comment(language, out) ? out : std::string();
}

Hole body_hole(const Body& body, Span bytes, HoleKind kind, const PlanOptions& options) {
  Hole hole;
  hole.begin = bytes.begin;
  hole.end = bytes.end;
  hole.kind = kind;
  hole.until = Until::block;
  hole.closer = body.closer;
  hole.closer_given = body.closer_given;
  hole.indent = body.anchor;
  hole.max_lines = options.max_lines;
  return hole;
}

}  // namespace cinnabar::daemon::syntax
