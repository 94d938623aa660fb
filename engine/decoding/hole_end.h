// Where an answer ends when the model does not say so itself: the one place that decides it, as pure functions over the
// text around the hole and the text so far. Syntax-tree ends (daemon/syntax) narrow these; they never lengthen an
// answer.
//
// All offsets are bytes into the answer's text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "engine/decoding/options.h"

namespace cinnabar::engine {

// What the ends are judged by, taken from the text around the hole once.
struct HoleSurroundings {
  EndRule rule = EndRule::line;
  std::string line_before;   // the cursor's line up to the cursor
  std::string rest_of_line;  // what stands behind the cursor on its line, without white space around
  std::string next_line;  // the first line behind the cursor's that is not blank, with its indentation, right-stripped
  // Of the rules block and hole. The hole begins where a line does: it is whole lines.
  bool whole_lines = false;
  // ... and next_line stands right behind the cursor, at its line's begin, so the answer keeps its last line end.
  bool at_next_line = false;
};
HoleSurroundings describe_hole(std::string_view prefix, std::string_view suffix, EndRule rule);

// The length of the complete answer within `text`, as soon as `text` shows it; none while more must come. Monotone:
// once found, more text behind it does not change it. A bracket that the text behind the cursor closes already is not
// closed again; a line that only repeats the line behind the hole is not part of it.
std::optional<std::size_t> find_hole_end(const HoleSurroundings& hole, std::string_view text);

// The same for a text that has no such end and to which no more comes: how much of it is worth keeping. `whole`: the model
// has said that this is all, else its last line may not be.
std::size_t unended_length(const HoleSurroundings& hole, std::string_view text, bool whole);

}  // namespace cinnabar::engine
