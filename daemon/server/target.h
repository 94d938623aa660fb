// Where an answer is wanted: in the client's document, or in what it becomes with the menu's selected entry, or once an answer
// has been accepted. Pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/server/answer_cache.h"
#include "daemon/workspace/documents/snapshot.h"
#include "lsp/inline_completion.h"

namespace cinnabar::daemon {

struct Target {
  SnapshotPtr document;
  std::size_t offset = 0;  // bytes
  std::optional<lsp::SelectedCompletion> selected;
  AnswerCache::Basis basis = {};
};

// `document` with bytes [begin, end) replaced; not a snapshot of the store's, so it has the revision of its origin.
SnapshotPtr with_replaced(const DocumentSnapshot& document, std::size_t begin, std::size_t end,
                          std::string_view inserted);

// Where the user goes on when `text` has been accepted: after it, or on the next line where its line is full.
Target after_accepting(const Target& target, const std::string& text);

}  // namespace cinnabar::daemon
