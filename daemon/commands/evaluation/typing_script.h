// A file as somebody writes it, key by key, with the places where an answer is judged: one JSON object a line.
//
//   {"id": "todo-ts/new", "path": "todo.ts", "language": "typescript", "text": TEXT,
//    "keys": [[MS, LINE, CHARACTER, END_LINE, END_CHARACTER, INSERTED, CURSOR_LINE, CURSOR_CHARACTER], ...],
//    "places": [{"id": "todo-ts/new:3", "key": 17, "kind": "after .", "next": TEXT[, "hole": TEXT]}, ...]}
//
// `text` is what the document holds when it is opened. A key replaces a range (from 0, UTF-16 units) and leaves the cursor
// somewhere; MS is the time since the key before, 0 for what is no typing (a paste): there nothing is asked for. A place
// is judged after `keys[key]`. `next` is what its author writes from the cursor on; `hole`, where something stands behind the
// cursor already (a closer that the editor has put there), what belongs in front of that.
//
// tests/typing/make_scripts.py makes them. Pure; lines are untrusted.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "daemon/workspace/documents/store.h"
#include "lsp/position.h"

namespace cinnabar::daemon::evaluation {

struct TypedKey {
  int milliseconds = 0;
  lsp::Range range;
  std::string inserted;
  lsp::Position cursor;  // afterwards

  bool only_moves() const { return range.start == range.end && inserted.empty(); }
};

struct TypingPlace {
  std::string id, kind;
  std::size_t key = 0;
  std::string next;
  std::optional<std::string> hole;
};

struct TypingScript {
  std::string id, path, language, text;
  std::vector<TypedKey> keys;
  std::vector<TypingPlace> places;  // by rising key
};

Result<TypingScript> read_script(const nlohmann::json& line);

// The text around the cursor at a place.
struct CursorText {
  std::string before, behind;
};

// The document while a script is replayed.
class TypedDocument {
 public:
  static constexpr auto kEncoding = lsp::PositionEncoding::utf16;
  explicit TypedDocument(const TypingScript& script);

  // Returns the change as the editor sends it. Fails if the document grows over the store's limits.
  Result<lsp::DidChangeParams> apply(const TypedKey& key);
  const std::string& uri() const { return uri_; }
  SnapshotPtr snapshot() const { return store_.find(uri_); }
  CursorText around(lsp::Position cursor) const;

 private:
  std::string uri_;
  DocumentStore store_{kEncoding};
  std::int32_t version_ = 1;
};

// Of each place, in order.
Result<std::vector<CursorText>> surroundings_of(const TypingScript& script);

}  // namespace cinnabar::daemon::evaluation
