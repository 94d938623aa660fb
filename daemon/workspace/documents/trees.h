// The trees of the documents that are being edited: each follows its document from snapshot to snapshot.
//
// Thread-safe. Parsing happens in the caller's thread: the first time the whole text, then what an edit touched.
#pragma once

#include <cstddef>
#include <list>
#include <mutex>

#include "daemon/syntax/tree.h"
#include "daemon/workspace/documents/snapshot.h"

namespace cinnabar::daemon::syntax {

// A tree and the snapshot whose text it borrows.
struct Parsed {
  SnapshotPtr document;
  TreePtr tree;  // null: no grammar, or over a limit of ParseLimits
};

class Trees {
 public:
  explicit Trees(std::size_t documents = 16, ParseLimits limits = {}) : documents_(documents), limits_(limits) {}

  // The tree of a snapshot, made from the last one of its document and what is different in its text. A document that
  // was over a limit is not tried again before it has become smaller by a tenth.
  Parsed of(const SnapshotPtr& document);
  void forget(const std::string& uri);
  const ParseLimits& limits() const { return limits_; }

 private:
  struct Entry {
    Parsed parsed;
    std::size_t refused_bytes = 0;  // the size over a limit; 0: none
  };
  Entry parse(const SnapshotPtr& document, const Entry& last) const;

  const std::size_t documents_;
  const ParseLimits limits_;
  std::mutex mutex_;
  std::list<Entry> recent_;  // the latest first
};

// The one edit that makes `after` of `before`, cut at character borders.
ByteEdit difference(std::string_view before, std::string_view after);

}  // namespace cinnabar::daemon::syntax
