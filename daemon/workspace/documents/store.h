// The open documents of one client: didOpen, didChange and didClose turned into snapshots.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/text.h"
#include "daemon/workspace/documents/snapshot.h"
#include "lsp/position.h"
#include "lsp/text_document.h"

namespace cinnabar::daemon {

struct DocumentLimits {
  std::size_t documents = 4096;                       // open at the same time
  std::size_t bytes_per_document = 16 * 1024 * 1024;  // UTF-8
  std::size_t bytes_in_all = std::size_t{256} * 1024 * 1024;
};

struct AppliedChange {
  SnapshotPtr before;
  SnapshotPtr after;
  std::vector<ByteEdit> edits;  // a whole-text change is one edit, without what both texts begin and end with
};

// Not thread-safe (main thread); the snapshots it hands out are. Errors leave the store as it was, except where said.
//
// Versions: LSP wants them to grow. The stream's order is what decides, though: a change whose version does not grow is
// applied all the same (dropping it would lose the text for good), and the snapshot carries the version that was sent.
// Use DocumentSnapshot::revision() to ask "has anything changed since".
//
// However a URI is spelled, it names the same document; its snapshots have the spelling it was opened with.
//
// A change that did not arrive, or could not be read, leaves a document lost: nothing is known of its text until it is
// opened again or a change has all of it.
//
// Over a limit, a document is not kept but remembered as refused: its later changes are errors until it is closed, and
// find() has nothing for it. A document that grows over a limit by a change becomes refused.
class DocumentStore {
 public:
  // `encoding` is what positions in changes count in, fixed when the connection was initialized.
  explicit DocumentStore(lsp::PositionEncoding encoding, DocumentLimits limits = {})
      : encoding_(encoding), limits_(limits) {}

  // Opening what is open replaces it: the client's word is newer than ours.
  Result<SnapshotPtr> open(const lsp::TextDocumentItem& document);

  // Applies all changes in order. Ranges clamp as lsp/position.h says; one that ends before it starts is turned round.
  // Costs one copy of the text and of the line index, plus the edits. Error: not open, or over a limit.
  Result<AppliedChange> change(const lsp::DidChangeParams& params);

  // Error: not open.
  Status close(const std::string& uri);

  // A change of it has not arrived. Nothing happens to one that is not open.
  void lose(const std::string& uri);
  bool is_lost(const std::string& uri) const;

  // Null when it is not open, lost or refused.
  SnapshotPtr find(const std::string& uri) const;
  std::vector<SnapshotPtr> all() const;  // in no order
  lsp::PositionEncoding encoding() const { return encoding_; }

 private:
  Status check_limits(const std::string& uri, std::size_t bytes) const;
  SnapshotPtr keep(SnapshotPtr snapshot);
  void refuse(const std::string& uri);
  SnapshotPtr revived(const lsp::DidChangeParams& params) const;

  lsp::PositionEncoding encoding_;
  DocumentLimits limits_;
  struct Lost {
    std::string uri, language_id;
  };
  std::unordered_map<std::string, SnapshotPtr> documents_;  // by canonical_uri; null: lost or refused
  std::unordered_map<std::string, Lost> lost_;              // the same
  std::size_t bytes_ = 0;                                   // of all texts
  std::uint64_t last_revision_ = 0;
};

}  // namespace cinnabar::daemon
