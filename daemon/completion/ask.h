// What the model is asked at one place of a text, and the hole that its answer is judged by: planned once a request, the
// same way for every door (editor, command line, evaluation, replay). Pure functions; any thread.
//
//   Ask ask = ask_at(region, offset, options, surroundings);      // or ask_for(region, hole, defaults), for a known hole
//   AnswerMachine machine(std::move(ask), answer_options);      // answer.h: what the model says, repaired and judged
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/syntax/plan.h"
#include "daemon/workspace/documents/region.h"
#include "engine/request.h"

namespace cinnabar::daemon {

// Whether an answer may have several lines.
enum class Multiline : std::uint8_t {
  automatic,  // where the plan says so
  never,
  always,  // wherever no text follows on the cursor's line
};
std::optional<Multiline> parse_multiline(std::string_view text);  // "auto", "never", "always"

struct AskOptions {
  Multiline multiline = Multiline::automatic;
  bool by_plan = true;  // the syntax tree says where an answer ends; false: defaults.end does
  // A stub or a note such as TODO at the place is replaced. Inline completions never do: VS Code shows ghost text only
  // for an item that extends the text it covers, so one that removes `pass` would never be drawn. Code actions do.
  bool replace_stubs = false;
  engine::InfillRequest defaults;  // all that does not depend on the place
};

// Text from elsewhere that the model reads, too.
struct Surroundings {
  std::string above;        // directly before the document: a notebook's cells
  engine::Context context;  // of other files
};

struct Ask {
  syntax::ParseRegionPtr region;
  syntax::Hole hole;  // in the region; an answer is judged by it where the region has a tree
  engine::InfillRequest request;
  double milliseconds = 0;  // that the plan took

  bool has_tree() const { return region->tree != nullptr; }
  // The bytes of the document that an answer replaces.
  std::size_t begin() const { return region->begin + hole.begin; }
  std::size_t end() const { return region->begin + hole.end; }
};

// Requires: offset <= the size of the region's document, of which the model reads all that its prompt budget holds.
//
// Where the region has a tree, its plan decides where the answer may end. Without one the text does: after a line that
// opens a block without a body, the answer is a block; else the rest of the line.
Ask ask_at(syntax::ParseRegionPtr region, std::size_t offset, const AskOptions& options, Surroundings around = {});

// The same for a hole that is planned already, in the region.
Ask ask_for(syntax::ParseRegionPtr region, syntax::Hole hole, engine::InfillRequest defaults);

// The engine's own rule for a hole: never shorter than what the plan allows (answer_end.h shortens it).
engine::EndRule end_rule(const syntax::Hole& hole);

}  // namespace cinnabar::daemon
