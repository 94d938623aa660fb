// From a cursor in a document to what the engine is asked: the one place where that is decided. Pure functions.
#pragma once

#include <cstddef>

#include "daemon/documents/snapshot.h"
#include "daemon/options.h"
#include "engine/infill.h"

namespace cinnabar::daemon {

// The hole at byte `offset` of `document` (<= its size): its surroundings, and where its answer may end.
//
// What it goes by is the text alone: behind a line that opens a block without a body, the answer is a block; else the
// rest of the line. options.completion.multiline can forbid or ask for blocks; text behind the cursor on its line
// always means a line.
engine::InfillRequest infill_request(const DocumentSnapshot& document, std::size_t offset, const Options& options);

}  // namespace cinnabar::daemon
