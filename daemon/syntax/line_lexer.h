// Brackets, quotes and comments of a few lines, read without a grammar: what is open at their end, and what closes more
// than they opened. For languages without a grammar, and for questions about one line that a broken tree cannot answer.
//
// Pure functions; any thread. Offsets are bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/syntax/language.h"

namespace cinnabar::daemon::syntax {

struct LexedLine {
  static constexpr std::size_t kNone = std::string_view::npos;

  std::string open;                    // the closers that are owed, the innermost last
  std::vector<std::size_t> unmatched;  // where closers stand that nothing in the text opened
  char quote = 0;                      // of a string that is open at the end; 0: none
  bool long_quote = false;             // it is one that may span lines: `"""`, a backtick
  std::size_t comment = kNone;         // where a comment begins that runs to the line's end (the last of several)
  // How much is wrong with it: closers too many, brackets and a quote left open.
  std::size_t damage() const { return open.size() + unmatched.size() + (quote != 0 ? 1 : 0); }
};

// `language` may be null: then quotes, brackets and comments are taken as most languages write them. `before` is text
// in front that decides what the begin of `text` is part of (a string, a comment); its own brackets do not count.
LexedLine lex_line(const Language* language, std::string_view text, std::string_view before = {});

}  // namespace cinnabar::daemon::syntax
