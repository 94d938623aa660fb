// Which text of other files helps at a cursor: definitions of what is named near it or imported, lists of what named
// modules give, and windows whose words are like those around it. Pure functions over (files, document, cursor).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/workspace/context/files.h"

namespace cinnabar::daemon::context {

struct Cursor {
  std::string path;  // of the document, as in FileSet
  const syntax::Language* language = nullptr;
  std::string_view text;
  std::size_t offset = 0;
  std::vector<std::string> recent = {};  // documents that were worked in; they count more
};

struct Piece {
  std::string path;      // below the workspace's folder
  std::size_t line = 0;  // from 0
  std::string text;
  std::string why;  // for a person: "defines scaled, named 2 lines above"
  double score = 0;
};

struct ChooseLimits {
  std::size_t definitions = 6;
  std::size_t windows = 2;
  std::size_t bytes = 2400;     // of all pieces' text
  double least_likeness = 0.3;  // of a window, 0 to 1
};

// Definitions first, by path and line, so that they stay where they are while the cursor moves; then what named modules give;
// then windows, the most alike last. Nothing of the document itself.
std::vector<Piece> choose(const FileSet& files, const Cursor& cursor, const ChooseLimits& limits = {});

// A piece as the model reads it: its path in a comment of the document's language, and its text.
std::string rendered(const Piece& piece, const syntax::Language& language);

}  // namespace cinnabar::daemon::context
