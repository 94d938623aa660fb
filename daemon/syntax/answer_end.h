// Where an answer ends, by the tree: while it grows, the text around the hole and the text so far are parsed together,
// and their tokens say which newline ends the statement, which bracket closes more than the answer opened, and where a
// body's indentation is left. Strings and comments are known as such, however their language writes them.
//
// It only ever shortens what the engine's own rules (engine/decoding/hole_end.h) allow.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/syntax/plan.h"

namespace cinnabar::daemon::syntax {

// A token of the answer; offsets into the answer's text, a token that began before it begins at 0.
struct AnswerToken {
  enum class Role : std::uint8_t { other, open, close, comment, string, unfinished };  // unfinished: an open string
  Span span;
  Role role = Role::other;
  const Pair* pair = nullptr;  // of open and close
};

// What the end is judged by, taken from the document once.
struct EndSurroundings {
  const Language* language = nullptr;
  Hole hole;
  std::vector<Opener> open;  // at the hole's begin, the outermost first
  std::string line_before;   // the hole's line up to the hole
  std::string rest_of_line;  // behind the hole, stripped
};
EndSurroundings end_surroundings(const Tree& tree, const Hole& hole);

// The length of the complete answer within `text`, as soon as `text` shows it. Pure.
std::optional<std::size_t> find_answer_end(const EndSurroundings& around, std::span<const AnswerToken> tokens,
                                           std::string_view text);

// The same with the parsing: keeps the tree of what it saw last, so that a longer text costs only what is new.
// One thread at a time; borrows nothing.
class AnswerEnd {
 public:
  AnswerEnd(const Tree& tree, const Hole& hole);
  std::optional<std::size_t> operator()(std::string_view answer);
  std::vector<AnswerToken> tokens(std::string_view answer);

 private:
  void parse(std::string_view answer);

  EndSurroundings around_;
  std::string head_;  // the part of the document in front of the hole that is parsed with the answer
  std::shared_ptr<const std::string> text_;
  TreePtr tree_;
};

}  // namespace cinnabar::daemon::syntax
