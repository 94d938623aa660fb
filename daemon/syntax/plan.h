// Infill plans: what is to be filled at a cursor, how far it may grow, and what stands behind it already. Plain data,
// made from the tree and the cursor; where no tree fits, from the line alone.
//
// Pure functions; any thread. Offsets are bytes into the document's text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/syntax/cursor.h"

namespace cinnabar::daemon::syntax {

enum class HoleKind : std::uint8_t {
  line,         // the end of a line
  statement,    // an empty line among statements
  member,       // an empty line among declarations
  body,         // an empty body
  stub,         // a body that says it is not written yet: it is replaced
  arguments,    // inside brackets
  middle,       // inside a line
  doc_comment,  // documentation
  comment,
  string,
  mark,  // a note such as TODO: what it asks for takes its place
};
std::string_view name(HoleKind kind);

// What ends the answer, beside the text behind the hole coming again.
enum class Until : std::uint8_t {
  line,       // the line's end
  statement,  // the end of a line where no bracket is open, and of the body that the line has opened
  block,      // a line indented less than the hole, or the bracket or word that closes the body
  bracket,    // the closer
  comment,    // the comment's end
  string,     // the string's end
};
std::string_view name(Until until);

struct Hole {
  std::size_t begin = 0, end = 0;  // the bytes that the answer replaces: none, blanks, a stub or a mark
  HoleKind kind = HoleKind::line;
  Until until = Until::line;
  std::string closer;         // what closes the place: ")" or "}" or "end"; empty: nothing or unknown
  bool closer_given = false;  // it stands behind the hole already; else the answer has to write it
  int indent = 0;             // columns of the statement that the hole belongs to; a body lies deeper
  int max_lines = 1;
  std::string shown;  // text of the replaced bytes that the model still sees in front of the hole: what a mark asks for
};

struct Plan {
  const Language* language = nullptr;  // null: no tree, lines only
  std::vector<Hole> holes;             // in order; may be empty (nothing is to be completed here)
  bool empty() const { return holes.empty(); }
};

struct PlanOptions {
  bool in_comments = true;
  bool in_strings = true;
  bool stubs = true;   // false: holes at the cursor only, nothing is replaced
  int max_lines = 32;  // of a body or statement
};

// One hole that contains the cursor. Empty where the options say so.
Plan plan_at(const Tree& tree, std::size_t cursor, const PlanOptions& options = {});
Plan plan_at(std::string_view text, std::size_t cursor, const PlanOptions& options = {});

// The body of the function around the cursor (in its signature, documentation or body) as one hole, when the body is
// empty or a stub. Else no hole.
Plan plan_function(const Tree& tree, std::size_t cursor, const PlanOptions& options = {});

// Every mark, stub and empty function body that lies in [begin, end). At most `most`.
Plan plan_selection(const Tree& tree, std::size_t begin, std::size_t end, std::size_t most = 32,
                    const PlanOptions& options = {});

// What the notes of a hole (Hole::shown) state, as an ordinary comment: the words that ask for work ("TODO:") are left
// out. Empty where nothing else is in them. Pure.
std::string requirement_of(const Language& language, std::string_view notes);

// "stub 3:5-3:9 until=block closer=} given indent=4 lines=32": one line a hole, positions from 1, columns in bytes.
std::string describe(const Plan& plan, std::string_view text);

}  // namespace cinnabar::daemon::syntax
