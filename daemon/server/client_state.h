// What is known of one client's documents: owned by its session, lent to the completer and the edit actions.
//
// Under the session's lock, but for what the index's own thread does (context/index.h).
#pragma once

#include "daemon/workspace/context/index.h"
#include "daemon/workspace/documents/notebooks.h"
#include "daemon/workspace/documents/store.h"
#include "daemon/workspace/documents/trees.h"

namespace cinnabar::daemon {

struct ClientState {
  DocumentStore documents{lsp::PositionEncoding::utf16};  // the session changes them, all others read
  Notebooks notebooks;                                    // the same
  syntax::Trees trees;                                    // follow the documents
  context::Index context;                                 // of the workspace's other files, and of recent edits
};

}  // namespace cinnabar::daemon
