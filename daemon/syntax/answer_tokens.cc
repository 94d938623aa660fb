// The tokens of an answer: the answer parsed behind the part of the document that it continues.
#include <algorithm>

#include "base/text.h"
#include "daemon/syntax/answer_end.h"

namespace cinnabar::daemon::syntax {
namespace {

constexpr std::size_t kHeadBytes = 4096;

// Where to begin parsing: at the outermost node around the hole that is near enough, else at the hole's line.
std::size_t head_begin(const Tree& tree, std::size_t hole) {
  const std::size_t nearest = hole > kHeadBytes ? hole - kHeadBytes : 0;
  if (nearest == 0) return 0;
  for (const TSNode node : path_to(tree, hole - 1, hole)) {
    if (!is_error(node) && begin_of(node) >= nearest) return begin_of(node);
  }
  return std::max(line_begin(tree.text(), hole), nearest);
}

const Pair* closed_pair(const Language& language, std::string_view kind) {
  const auto found =
      std::find_if(language.pairs.begin(), language.pairs.end(), [&](const Pair& p) { return p.close == kind; });
  return found == language.pairs.end() ? nullptr : &*found;
}

// A block comment that has begun and not ended is no comment to the parser: what stands in it is no code all the same.
void mark_open_comment(const Language& language, std::string_view answer, std::vector<AnswerToken>& tokens) {
  const std::string_view opener = language.layout == Layout::markup   ? "<!--"
                                  : language.layout == Layout::braces ? "/*"
                                                                      : std::string_view();
  const std::size_t at = opener.empty() ? std::string_view::npos : answer.rfind(opener);
  if (at == std::string_view::npos) return;
  const auto covers = [&](const AnswerToken& token) {
    const bool opaque = token.role == AnswerToken::Role::comment || token.role == AnswerToken::Role::string;
    return opaque && token.span.begin <= at && at < token.span.end;
  };
  if (std::any_of(tokens.begin(), tokens.end(), covers)) return;
  const auto behind = std::find_if(tokens.begin(), tokens.end(), [&](const AnswerToken& t) { return t.span.end > at; });
  tokens.erase(behind, tokens.end());
  tokens.push_back({{at, answer.size()}, AnswerToken::Role::unfinished, nullptr});
}

bool opens_long_string(std::string_view token) {
  return token == "`" || token.ends_with("\"\"\"") || token.ends_with("'''");
}

}  // namespace

EndSurroundings end_surroundings(const Tree& tree, const Hole& hole) {
  const std::string_view text = tree.text();
  const CursorFacts facts = facts_at(tree, hole.begin);
  EndSurroundings around{&tree.language(), hole, facts.open, std::string(facts.before), {}};
  around.rest_of_line = stripped(text.substr(hole.end, line_end(text, hole.end) - hole.end));
  // What the hole replaces closes nothing.
  for (Opener& opener : around.open) {
    if (opener.closer && opener.closer->begin < hole.end) opener.closer.reset();
    // Behind a string that was left open the tree takes code for strings and strings for code.
    const bool open_string = hole.kind == HoleKind::string && !hole.closer_given;
    if (open_string && opener.span.begin >= facts.line.begin && opener.closer && opener.closer->begin >= facts.line.end)
      opener.closer.reset();
  }
  return around;
}

AnswerEnd::AnswerEnd(const Tree& tree, const Hole& hole) : around_(end_surroundings(tree, hole)) {
  const std::size_t begin = head_begin(tree, hole.begin);
  if (begin > 0) head_ = tree.language().wrapper;
  head_ += tree.text().substr(begin, hole.begin - begin);
}

void AnswerEnd::parse(std::string_view answer) {
  auto text = std::make_shared<const std::string>(head_ + std::string(answer));
  const LineIndex lines(*text);
  if (tree_ && text->size() >= text_->size() && text->starts_with(*text_)) {
    const ByteEdit edit{text_->size(), text_->size(), text->size()};
    tree_ = tree_->follow(edit, LineIndex(*text_), *text, lines);
  } else {
    tree_ = Tree::parse(*around_.language, *text, lines);
  }
  text_ = std::move(text);
}

std::vector<AnswerToken> AnswerEnd::tokens(std::string_view answer) {
  parse(answer);
  std::vector<AnswerToken> found;
  if (!tree_) return found;
  const Language& language = *around_.language;
  const std::size_t origin = head_.size();
  std::string_view open_string;  // the quotes of a long string that has not ended
  std::size_t opened = 0;        // its token
  each_node(tree_->root(), origin, text_->size(), [&](TSNode node) {
    if (end_of(node) <= origin || begin_of(node) >= end_of(node)) return end_of(node) > origin;
    const std::string_view kind = kind_of(node);
    const Span span{begin_of(node) > origin ? begin_of(node) - origin : 0, end_of(node) - origin};
    const bool comment = ts_node_is_named(node) && contains(language.comments, kind);
    const bool string = ts_node_is_named(node) && contains(language.strings, kind) && !ts_node_has_error(node);
    if (comment || string) {
      AnswerToken token{span, comment ? AnswerToken::Role::comment : AnswerToken::Role::string};
      // Some grammars count the line end to the comment.
      if (comment) token.span.end = std::max(right_stripped(answer.substr(0, span.end)).size(), span.begin);
      found.push_back(token);
      return false;
    }
    if (ts_node_child_count(node) > 0) return true;
    const std::string_view token = std::string_view(*text_).substr(begin_of(node), end_of(node) - begin_of(node));
    AnswerToken leaf{span};
    if (open_string.empty() ? opens_long_string(token) : token.ends_with(open_string)) {
      opened = found.size();
      open_string = open_string.empty() ? (token == "`" ? token : token.substr(token.size() - 3)) : std::string_view();
      leaf.role = AnswerToken::Role::string;
    }
    const TSNode parent = ts_node_parent(node);
    leaf.pair = opened_pair(language, kind, ts_node_is_null(parent) ? std::string_view() : kind_of(parent));
    if (leaf.pair != nullptr) {
      leaf.role = AnswerToken::Role::open;
    } else if (const Pair* closed = closed_pair(language, kind)) {
      leaf.role = AnswerToken::Role::close;
      leaf.pair = closed;
    }
    found.push_back(leaf);
    return false;
  });
  if (!open_string.empty()) found[opened].role = AnswerToken::Role::unfinished;
  mark_open_comment(language, answer, found);
  return found;
}

std::optional<std::size_t> AnswerEnd::operator()(std::string_view answer) {
  const auto until = around_.hole.until;
  if (until == Until::comment || until == Until::string) return find_answer_end(around_, {}, answer);
  return find_answer_end(around_, tokens(answer), answer);
}

}  // namespace cinnabar::daemon::syntax
