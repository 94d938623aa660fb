// An answer as an entry of the editor's pop-up menu, for editors without inline completion. Pure.
#pragma once

#include <cstddef>
#include <string>

#include "daemon/workspace/documents/snapshot.h"
#include "lsp/completion.h"

namespace cinnabar::daemon {

// `text` goes in at byte `offset` of `document`, in the stead of `replaced` bytes behind it on its line.
//
// Clients keep an entry as long as the text from its range's begin to the cursor fits its filter text, and some put the
// begin at the word under way themselves: so the range begins with that word, and all texts with the word typed. The
// label is the first line that is not blank; text of several lines is shown whole as documentation.
lsp::CompletionItem menu_item(const DocumentSnapshot& document, std::size_t offset, const std::string& text,
                              std::size_t replaced, lsp::PositionEncoding encoding);

}  // namespace cinnabar::daemon
