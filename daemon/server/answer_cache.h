// Answers of one client that may still be right: while the user types the text that is shown, the rest of it is served
// from here, without the model.
//
// One thread at a time. Keeps the snapshots that its answers were made for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/workspace/documents/snapshot.h"

namespace cinnabar::daemon {

class AnswerCache {
 public:
  // What else an answer depends on.
  struct Basis {
    std::size_t above = 0;       // of the text above a notebook's cell, a hash
    std::uint64_t settings = 0;  // counts the changes of settings and model
    friend bool operator==(const Basis&, const Basis&) = default;
  };
  struct Entry {
    SnapshotPtr document;            // what the answers belong to
    std::size_t offset = 0;          // byte of it where they are inserted
    std::vector<std::string> texts;  // best first; none: there is nothing to show here
    int asked = 1;                   // how many were asked for
    Basis basis = {};
  };
  // What is left to insert at a later cursor.
  struct Rest {
    std::string text;
    // Bytes behind the cursor that `text` replaces: closers the editor has put there while the user typed.
    std::size_t replaced = 0;
  };

  void add(Entry entry);

  // The rests that fit `now` at byte `offset`, of the newest entry with any: where the document is the entry's, in its
  // language and on its basis, with a beginning of one of its texts typed in. An entry without texts fits only its own
  // place (an empty list: known to be nothing). Nothing when no entry fits or the fitting one was asked for fewer than
  // `asked` texts.
  std::optional<std::vector<Rest>> find(const DocumentSnapshot& now, std::size_t offset, int asked,
                                        const Basis& basis) const;
  std::optional<std::vector<Rest>> find(const DocumentSnapshot& now, std::size_t offset, int asked = 1) const {
    return find(now, offset, asked, {});
  }

  // The newest answer for a place in front of `offset` that the user has since left: what of it lies behind the typed
  // bytes. Empty when there is none.
  std::string former(const DocumentSnapshot& now, std::size_t offset) const;

  void forget(const std::string& uri);
  std::size_t size() const { return entries_.size(); }

 private:
  std::deque<Entry> entries_;  // newest first
};

}  // namespace cinnabar::daemon
