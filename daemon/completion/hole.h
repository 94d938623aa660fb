// From a cursor in a document to what the engine is asked: the one place where that is decided. Pure functions.
#pragma once

#include <cstddef>
#include <optional>

#include "daemon/config/options.h"
#include "daemon/syntax/plan.h"
#include "daemon/workspace/documents/region.h"
#include "engine/request.h"

namespace cinnabar::daemon {

// The hole at byte `offset` of the site's document (<= its size): its surroundings, and where its answer may end.
//
// Where the site has a tree, its plan decides (planned_hole). Without, or where options.by_plan says so, the text
// alone: behind a line that opens a block without a body, the answer is a block; else the rest of the line.
// options.completion.multiline can forbid or ask for blocks; text behind the cursor on its line always means a line.
engine::InfillRequest infill_request(const syntax::Site& site, std::size_t offset, const Options& options);

// The plan's hole at `offset`, as text to insert there: it replaces nothing. A stub at the cursor stays, and what it
// stands for is left to the code actions: an item's range may cover it on one line, but VS Code draws ghost text only
// for what adds to the covered text, so an item that takes `pass` away is never shown.
syntax::Hole planned_hole(const syntax::Tree& tree, std::size_t offset, Multiline multiline);

}  // namespace cinnabar::daemon
