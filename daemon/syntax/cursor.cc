#include "daemon/syntax/cursor.h"

#include <algorithm>

#include "base/text.h"

namespace cinnabar::daemon::syntax {
namespace {

constexpr int kNodesLookedAt = 20'000;   // bounds the walk in files that do not parse at all
constexpr std::size_t kDeepest = 1'000;  // bounds its recursion

// The innermost node of one of `kinds` around [begin, end), itself included.
std::optional<TSNode> enclosing(const Tree& tree, std::size_t begin, std::size_t end, Words kinds) {
  const auto path = path_to(tree, begin, end);
  for (std::size_t i = path.size(); i-- > 0;) {
    if (ts_node_is_named(path[i]) && contains(kinds, kind_of(path[i]))) return path[i];
  }
  return std::nullopt;
}

bool is_line_comment(const Language& language, std::string_view comment) {
  return !language.line_comment.empty() && comment.starts_with(language.line_comment) && !comment.starts_with("--[");
}

std::optional<Span> comment_at(const Tree& tree, std::size_t cursor) {
  const std::string_view text = tree.text();
  if (cursor == 0) return std::nullopt;
  const auto node = enclosing(tree, cursor - 1, cursor, tree.language().comments);
  if (!node) return std::nullopt;
  const Span span{begin_of(*node), end_of(*node)};
  if (cursor <= span.begin) return std::nullopt;
  const std::string_view comment = text.substr(span.begin, span.end - span.begin);
  if (is_line_comment(tree.language(), comment)) {
    const std::size_t end = line_end(text, span.begin);
    return cursor <= end ? std::optional(Span{span.begin, end}) : std::nullopt;
  }
  return cursor < span.end ? std::optional(span) : std::nullopt;
}

std::optional<Span> string_at(const Tree& tree, std::size_t cursor) {
  const auto path = path_to(tree, cursor, cursor);
  for (std::size_t i = path.size(); i-- > 0;) {
    const TSNode node = path[i];
    if (begin_of(node) >= cursor || end_of(node) <= cursor) continue;
    if (contains(tree.language().interpolations, kind_of(node))) return std::nullopt;
    if (contains(tree.language().strings, kind_of(node))) return Span{begin_of(node), end_of(node)};
  }
  return std::nullopt;
}

bool closes_something(const Language& language, std::string_view kind) {
  return std::any_of(language.pairs.begin(), language.pairs.end(), [&](const Pair& p) { return p.close == kind; });
}

bool is_opaque(const Language& language, TSNode node) {
  return ts_node_is_named(node) &&
         (contains(language.comments, kind_of(node)) || contains(language.strings, kind_of(node)));
}

// Walks the tree around the cursor and keeps what is open there. Whole subtrees without errors are balanced and
// skipped.
class OpenerWalk {
 public:
  OpenerWalk(const Tree& tree, std::size_t cursor) : tree_(tree), language_(tree.language()), cursor_(cursor) {}

  std::vector<Opener> run() {
    before(tree_.root());
    budget_ = kNodesLookedAt;
    if (!open_.empty()) behind(tree_.root(), {}, 0);
    match();
    drop_stale();
    return std::move(open_);
  }

 private:
  struct Closer {
    Span span;
    std::string_view kind;
  };

  template <typename Visit>
  void each_child(TSNode node, const Visit& visit) {
    TSTreeCursor children = ts_tree_cursor_new(node);
    for (bool more = ts_tree_cursor_goto_first_child(&children); more && budget_ > 0;
         more = ts_tree_cursor_goto_next_sibling(&children)) {
      --budget_;
      if (!visit(ts_tree_cursor_current_node(&children))) break;
    }
    ts_tree_cursor_delete(&children);
  }

  void before(TSNode node) {
    path_.push_back(node);
    each_child(node, [&](TSNode child) {
      if (begin_of(child) >= cursor_) return false;
      const bool ends = end_of(child) <= cursor_;
      if (ends && is_opaque(language_, child)) return true;
      if (ts_node_child_count(child) == 0) {
        if (ends && begin_of(child) < end_of(child)) take(child);
      } else if ((!ends || ts_node_has_error(child)) && path_.size() < kDeepest) {
        before(child);
      }
      return true;
    });
    path_.pop_back();
  }

  void take(TSNode leaf) {
    const std::string_view parent = kind_of(path_.back());
    if (const Pair* pair = opened_pair(language_, kind_of(leaf), parent)) {
      Opener opener;
      opener.span = {begin_of(leaf), end_of(leaf)};
      opener.pair = pair;
      opener.parent = parent;
      opener.anchor = anchor_of(leaf);
      opener.members = contains(language_.member_blocks, parent);
      opener.block = opener.members || contains(language_.blocks, parent) || is_word(pair->open) ||
                     (pair->open == "{" && looks_like_block(begin_of(leaf), is_error(path_.back())));
      open_.push_back(opener);
    } else if (closes_something(language_, kind_of(leaf))) {
      for (std::size_t i = open_.size(); i-- > 0;) {
        if (open_[i].pair->close != kind_of(leaf)) continue;
        open_.resize(i);
        break;
      }
    }
  }

  static bool is_word(std::string_view token) { return token.front() >= 'a' && token.front() <= 'z'; }

  // In a broken place, and where broken text was taken for a literal: what stands before the brace tells.
  bool looks_like_block(std::size_t brace, bool broken) const {
    if (language_.layout != Layout::braces && language_.layout != Layout::keywords) return false;
    const std::string_view text = tree_.text();
    const std::string_view head = right_stripped(text.substr(line_begin(text, brace), brace - line_begin(text, brace)));
    if (!broken) return head.ends_with(")") && is_blank(text.substr(brace + 1, line_end(text, brace) - brace - 1));
    if (head.ends_with("=>")) return true;
    if (head.ends_with("return")) return false;
    return head.empty() || std::string_view("=(,:[?&|").find(head.back()) == std::string_view::npos;
  }

  // Of the outermost node that begins behind the opener outside: the statement that `leaf` belongs to.
  int anchor_of(TSNode leaf) const {
    const std::size_t floor = open_.empty() ? 0 : open_.back().span.end;
    std::size_t start = begin_of(leaf);
    for (std::size_t i = 1; i < path_.size(); ++i) {
      if (!is_error(path_[i]) && begin_of(path_[i]) >= floor) {
        start = begin_of(path_[i]);
        break;
      }
    }
    const std::string_view text = tree_.text();
    const int by_node = indent_width(text.substr(line_begin(text, start)));
    return std::min(by_node, indent_width(text.substr(line_begin(text, begin_of(leaf)))));
  }

  std::vector<const Pair*> behind(TSNode node, std::vector<const Pair*> inner, std::size_t depth) {
    each_child(node, [&](TSNode child) {
      if (end_of(child) <= cursor_) return true;
      const bool begins = begin_of(child) >= cursor_;
      if (begins && (is_opaque(language_, child) || (ts_node_child_count(child) > 0 && !ts_node_has_error(child))))
        return true;
      if (ts_node_child_count(child) > 0) {
        if (depth < kDeepest) inner = behind(child, std::move(inner), depth + 1);
      } else if (begins && begin_of(child) < end_of(child)) {
        meet(child, kind_of(node), inner);
      }
      return closers_.size() < open_.size();
    });
    return inner;
  }

  void meet(TSNode leaf, std::string_view parent, std::vector<const Pair*>& inner) {
    if (const Pair* pair = opened_pair(language_, kind_of(leaf), parent)) {
      inner.push_back(pair);
    } else if (closes_something(language_, kind_of(leaf))) {
      if (!inner.empty() && inner.back()->close == kind_of(leaf))
        inner.pop_back();
      else
        closers_.push_back({{begin_of(leaf), end_of(leaf)}, kind_of(leaf)});
    }
  }

  bool may_close(const Opener& opener, const Closer& closer) const {
    if (opener.pair->close != closer.kind) return false;
    const std::string_view text = tree_.text();
    const std::size_t line = line_begin(text, closer.span.begin);
    if (line <= opener.span.begin || !is_blank(text.substr(line, closer.span.begin - line))) return true;
    return indent_width(text.substr(line)) >= opener.anchor;
  }

  void match() {
    std::size_t next = 0;
    for (std::size_t i = open_.size(); i-- > 0 && next < closers_.size();) {
      const auto wanted = [&](const Closer& closer) {
        return std::any_of(open_.begin(), open_.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                           [&](const Opener& o) { return o.pair->close == closer.kind; });
      };
      while (next < closers_.size() && !wanted(closers_[next])) ++next;
      if (next < closers_.size() && may_close(open_[i], closers_[next])) open_[i].closer = closers_[next++].span;
    }
  }

  // A bracket that nothing closes, with a new statement begun at its statement's depth since, is a mistake further up
  // and not where the cursor is.
  void drop_stale() {
    const std::string_view text = tree_.text();
    const auto stale = [&](const Opener& opener) {
      if (opener.closer || opener.block) return false;
      for (std::size_t at = text.find('\n', opener.span.begin); at < cursor_; at = text.find('\n', at + 1)) {
        const std::string_view line = text.substr(at + 1, line_end(text, at + 1) - at - 1);
        if (is_blank(line) || indent_width(line) > opener.anchor) continue;
        if (contains(language_.header_words, first_word(line))) return true;
      }
      return false;
    };
    open_.erase(std::remove_if(open_.begin(), open_.end(), stale), open_.end());
  }

  const Tree& tree_;
  const Language& language_;
  std::size_t cursor_;
  int budget_ = kNodesLookedAt;
  std::vector<TSNode> path_;
  std::vector<Opener> open_;
  std::vector<Closer> closers_;
};

// The token that holds the byte at `at`. A whole string is one token, unless code inside it is meant.
Token token_at(const Tree& tree, std::size_t at) {
  const auto path = path_to(tree, at, at + 1);
  std::size_t leaf = path.size() - 1;
  for (std::size_t i = path.size(); i-- > 0;) {
    if (contains(tree.language().interpolations, kind_of(path[i]))) break;
    if (!ts_node_is_named(path[i]) || !contains(tree.language().strings, kind_of(path[i]))) continue;
    leaf = i;
    break;
  }
  return {{begin_of(path[leaf]), end_of(path[leaf])},
          kind_of(path[leaf]),
          leaf == 0 ? std::string_view() : kind_of(path[leaf - 1])};
}

}  // namespace

const Pair* opened_pair(const Language& language, std::string_view kind, std::string_view parent) {
  if (parent.ends_with("_modifier") || (kind == "do" && parent == "do")) return nullptr;
  for (const Pair& pair : language.pairs) {
    if (pair.open == kind) return &pair;
  }
  return nullptr;
}

std::optional<Token> token_before(const Tree& tree, std::size_t at) {
  const std::string_view text = tree.text();
  for (int skipped = 0; skipped < 200; ++skipped) {
    const std::size_t last = text.substr(0, at).find_last_not_of(" \t\r\n\f");
    if (last == std::string_view::npos) return std::nullopt;
    const auto comment = enclosing(tree, last, last + 1, tree.language().comments);
    if (!comment) return token_at(tree, last);
    at = begin_of(*comment);
  }
  return std::nullopt;
}

std::optional<Token> token_behind(const Tree& tree, std::size_t at) {
  const std::string_view text = tree.text();
  for (int skipped = 0; skipped < 200; ++skipped) {
    const std::size_t first = text.find_first_not_of(" \t\r\n\f", at);
    if (first == std::string_view::npos) return std::nullopt;
    const auto comment = enclosing(tree, first, first + 1, tree.language().comments);
    if (!comment) return token_at(tree, first);
    at = std::max(end_of(*comment), first + 1);
  }
  return std::nullopt;
}

int CursorFacts::next_line_indent() const {
  return next_line >= text.size() ? -1 : indent_width(text.substr(next_line));
}

CursorFacts facts_at(std::string_view text, std::size_t cursor) {
  CursorFacts facts;
  facts.text = text;
  facts.cursor = std::min(cursor, text.size());
  facts.line = {line_begin(text, facts.cursor), line_end(text, facts.cursor)};
  facts.before = text.substr(facts.line.begin, facts.cursor - facts.line.begin);
  facts.after = text.substr(facts.cursor, facts.line.end - facts.cursor);
  const std::size_t next = text.find_first_not_of(" \t\r\n\f", facts.line.end);
  facts.next_line = next == std::string_view::npos ? text.size() : line_begin(text, next);
  return facts;
}

CursorFacts facts_at(const Tree& tree, std::size_t cursor) {
  CursorFacts facts = facts_at(tree.text(), cursor);
  facts.comment = comment_at(tree, facts.cursor);
  if (!facts.comment) facts.string = string_at(tree, facts.cursor);
  facts.open = OpenerWalk(tree, facts.cursor).run();
  facts.previous = token_before(tree, facts.cursor);
  facts.next = token_behind(tree, facts.cursor);
  return facts;
}

}  // namespace cinnabar::daemon::syntax
