// The part of a document in which a completion works: all of a small one, and of a large one some lines around the
// cursor, parsed by themselves. Broken code, which is the normal case at a cursor, may cost a parser time by the size
// of the file; so the size is bounded.
//
// Immutable; any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "daemon/syntax/cursor.h"
#include "daemon/syntax/language.h"
#include "daemon/workspace/documents/trees.h"

namespace cinnabar::daemon::syntax {

// Documents up to this size are worked in whole.
inline constexpr std::size_t kWholeBytes = 32 * 1024;

struct ParseRegion {
  SnapshotPtr document;   // whose text the tree borrows, or
  std::string text;       // a copy of its part, which then is not empty
  LineIndex lines;        // of what the tree was made of
  std::size_t begin = 0;  // the part's first byte in the document
  TreePtr tree;           // null: no grammar, or over a limit
};
using ParseRegionPtr = std::shared_ptr<const ParseRegion>;

// `offset` <= the text's size. `trees` follows documents that are worked in whole.
ParseRegionPtr region_at(const SnapshotPtr& document, std::size_t offset, Trees& trees);

// The same of a text that is not being edited. `language_id` or, where that has no grammar, `path` says its language.
ParseRegionPtr region_at(std::string text, std::size_t offset, std::string language_id, std::string path,
                         const ParseLimits& limits = {});

// All of a text, whatever its size.
ParseRegionPtr whole_region(std::string text, const Language& language);

// The bytes of a large text that are worked in: whole lines, from one that begins a statement at the margin where there
// is one near enough, to the end of one. Strings between `long_quotes` are not cut where that can be helped: what
// begins inside one is broken code from its first line to its last.
Span part_around(std::string_view text, const LineIndex& lines, std::size_t offset, Words long_quotes = {});

// By the client's identifier, else by the name; null when there is no grammar.
const Language* language_of(const DocumentSnapshot& document);

}  // namespace cinnabar::daemon::syntax
