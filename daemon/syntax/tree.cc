#include "daemon/syntax/tree.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <vector>

namespace cinnabar::daemon::syntax {
namespace {

struct ParserDeleter {
  void operator()(TSParser* parser) const { ts_parser_delete(parser); }
};

bool within_limits(std::string_view text, const LineIndex& lines, const ParseLimits& limits) {
  if (text.size() > limits.bytes) return false;
  for (std::size_t line = 1; line < lines.line_count(); ++line) {
    if (lines.line_begin(line) - lines.line_begin(line - 1) > limits.line_bytes) return false;
  }
  return text.size() - lines.line_begin(lines.line_count() - 1) <= limits.line_bytes;
}

struct Text {
  std::string_view bytes;
  static const char* read(void* payload, std::uint32_t at, TSPoint, std::uint32_t* count) {
    const auto& text = static_cast<Text*>(payload)->bytes;
    *count = static_cast<std::uint32_t>(at < text.size() ? text.size() - at : 0);
    return at < text.size() ? text.data() + at : "";
  }
};

// Of this thread: a machine that is busy with other things must not cost a file its tree.
std::chrono::nanoseconds processor_time() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// The parser asks now and then whether to give up.
bool out_of_time(TSParseState* state) {
  return processor_time() >= *static_cast<std::chrono::nanoseconds*>(state->payload);
}

TSTree* run_parser(const Language& language, std::string_view text, const TSTree* old, const ParseLimits& limits) {
  const std::unique_ptr<TSParser, ParserDeleter> parser(ts_parser_new());
  if (!ts_parser_set_language(parser.get(), language.grammar())) return nullptr;
  Text source{text};
  std::chrono::nanoseconds until = processor_time() + limits.time;
  const TSInput input{&source, &Text::read, TSInputEncodingUTF8, nullptr};
  return ts_parser_parse_with_options(parser.get(), old, input, TSParseOptions{&until, &out_of_time});
}

TSPoint point_at(const LineIndex& lines, std::size_t offset) {
  const std::size_t line = lines.line_of(offset);
  return {static_cast<std::uint32_t>(line), static_cast<std::uint32_t>(offset - lines.line_begin(line))};
}

// Calls `found` with every ERROR node and every missing token, and whether it is inside another one.
template <typename Found>
void each_damage(TSNode root, const Found& found) {
  constexpr int kVisited = 50'000;  // a stranger's file may be one error with a million nodes in it
  int visited = 0;
  std::size_t covered = 0;  // the end of the ERROR node under way
  each_node(root, 0, ~std::size_t{0}, [&](TSNode node) {
    if (++visited > kVisited) return false;
    if (ts_node_is_missing(node) || is_error(node)) {
      const bool inside =
          begin_of(node) < covered || (begin_of(node) == covered && covered > 0 && end_of(node) == covered);
      found(node, inside);
      if (!inside) covered = end_of(node);
    }
    return ts_node_has_error(node);
  });
}

}  // namespace

TreePtr Tree::parse(const Language& language, std::string_view text, const LineIndex& lines,
                    const ParseLimits& limits) {
  if (!within_limits(text, lines, limits)) return nullptr;
  TSTree* tree = run_parser(language, text, nullptr, limits);
  return tree == nullptr ? nullptr : TreePtr(new Tree(language, text, tree));
}

TreePtr Tree::follow(const ByteEdit& edit, const LineIndex& old_lines, std::string_view text, const LineIndex& lines,
                     const ParseLimits& limits) const {
  if (!within_limits(text, lines, limits)) return nullptr;
  TSTree* edited = ts_tree_copy(tree_);
  const TSInputEdit change{static_cast<std::uint32_t>(edit.begin),   static_cast<std::uint32_t>(edit.old_end),
                           static_cast<std::uint32_t>(edit.new_end), point_at(lines, edit.begin),
                           point_at(old_lines, edit.old_end),        point_at(lines, edit.new_end)};
  ts_tree_edit(edited, &change);
  TSTree* tree = run_parser(*language_, text, edited, limits);
  ts_tree_delete(edited);
  return tree == nullptr ? nullptr : TreePtr(new Tree(*language_, text, tree));
}

Tree::~Tree() { ts_tree_delete(tree_); }

ByteEdit merged(std::span<const ByteEdit> edits) {
  if (edits.empty()) return {};
  ByteEdit all = edits.front();
  for (const ByteEdit& edit : edits.subspan(1)) {
    if (edit.old_end > all.new_end) {
      all.old_end += edit.old_end - all.new_end;
      all.new_end = edit.old_end;
    }
    all.begin = std::min(all.begin, edit.begin);
    all.new_end = all.new_end + edit.new_end - edit.old_end;
  }
  return all;
}

std::vector<TSNode> path_to(const Tree& tree, std::size_t begin, std::size_t end) {
  constexpr std::size_t kDeepest = 2000;
  std::vector<TSNode> path{tree.root()};
  TSTreeCursor cursor = ts_tree_cursor_new(tree.root());
  while (path.size() < kDeepest &&
         ts_tree_cursor_goto_first_child_for_byte(&cursor, static_cast<std::uint32_t>(begin)) >= 0) {
    const TSNode node = ts_tree_cursor_current_node(&cursor);
    if (begin_of(node) > begin || end_of(node) < end) break;
    path.push_back(node);
  }
  ts_tree_cursor_delete(&cursor);
  return path;
}

Damage damage_of(const Tree& tree) {
  Damage damage;
  each_damage(tree.root(), [&](TSNode node, bool inside) {
    if (ts_node_is_missing(node)) {
      ++damage.missing;
    } else {
      ++damage.errors;
      if (!inside) damage.bytes += end_of(node) - begin_of(node);
    }
  });
  return damage;
}

Damage damage_of(const Language& language, const std::string& text) {
  const LineIndex lines(text);
  const auto tree = Tree::parse(language, text, lines);
  return tree ? damage_of(*tree) : Damage{};
}

std::vector<std::pair<std::size_t, std::size_t>> damaged_ranges(const Tree& tree, std::size_t most) {
  std::vector<std::pair<std::size_t, std::size_t>> ranges;
  each_damage(tree.root(), [&](TSNode node, bool inside) {
    if (!inside && ranges.size() < most) ranges.emplace_back(begin_of(node), end_of(node));
  });
  return ranges;
}

}  // namespace cinnabar::daemon::syntax
