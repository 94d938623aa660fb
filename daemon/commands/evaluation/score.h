// How good answers to holes are: the measures of one, and tables of many. Pure; any thread.
//
// Texts are compared without blanks and line ends at their ends.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/syntax/language.h"
#include "engine/decoding/decode.h"

namespace cinnabar::daemon::evaluation {

// A hole cut from real code; `middle` is what stood there.
struct CutHole {
  std::string id, kind, language, prefix, middle, suffix;
};

// What came of it.
struct GivenAnswer {
  std::string mode;  // "verified"
  std::string raw;   // as the model gave it
  std::string text;  // as the critic left it
  int nfe = 0, tokens = 0;
  double milliseconds = 0;
  // Where `raw` stops inside the middle: whether the model, left alone, goes on with the rest of it.
  std::optional<bool> goes_on;
  std::vector<engine::DraftCount> drafts;  // by position
};

struct Measures {
  bool shown = false;    // there is an answer at all
  bool exact = false;    // it is the middle
  double similar = 0;    // 1 - edit distance / length of the longer
  bool parses = false;   // the file has no more ERROR and MISSING nodes than the real one
  bool adds = false;     // it has more than without any answer
  bool doubled = false;  // it ends with a closer that stands behind the hole, too, and closes once too often
  // Whether it ends where the middle does; nothing where its text up to there is not right, or nobody knows.
  std::optional<bool> ends;
};

struct Scored {
  const CutHole* hole = nullptr;
  GivenAnswer answer;
  Measures raw, text;
};

Scored score(const CutHole& hole, GivenAnswer answer);

// One mode's answers as Markdown: how good they are by language and by kind, as shown and as the model gave them, and
// what became of drafts by position.
std::string report(std::span<const Scored> scored);

// Levenshtein, in bytes.
std::size_t edit_distance(std::string_view a, std::string_view b);

// ERROR and MISSING nodes of a fresh tree of the whole text, all of them counted: shares nothing with the critic but
// the grammar. Nothing: the text is over a limit of size or time.
struct WrongNodes {
  int errors = 0, missing = 0;
};
std::optional<WrongNodes> wrong_nodes(const syntax::Language& language, std::string_view text);

}  // namespace cinnabar::daemon::evaluation
