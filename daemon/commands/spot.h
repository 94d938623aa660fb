// FILE:LINE:COL, the argument of the commands that work at one place of a file.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "daemon/completion/ask.h"
#include "daemon/config/options.h"
#include "daemon/workspace/context/choose.h"

namespace cinnabar::daemon {

struct Spot {
  std::string file;
  std::size_t line = 0, column = 0;  // from 1; the column counts bytes
};

struct OpenSpot {
  std::string file;
  std::string text;        // the whole file, at most 8 MiB
  std::size_t offset = 0;  // bytes from its start
};

// A number from 1; nothing when `text` is something else, or too large for any file.
std::optional<std::size_t> parse_count(std::string_view text);
// A whole file, at most 8 MiB.
Result<std::string> read_text(const std::string& path);

// The one argument there has to be; the error says what `command` expects.
Result<Spot> parse_spot(const std::vector<std::string>& arguments, std::string_view command);
// Errors: the file cannot be read, is too large, or has no such place.
Result<OpenSpot> open_spot(const Spot& spot);

// What the model would be asked there. Text of other files comes with `options.editor.context` only, as in an
// editor's session whose recent edits are left out: of the version control's folder around the file, else of its own.
struct AskedSpot {
  Ask ask;
  std::vector<context::Piece> pieces;  // of other files
  double parse_milliseconds = 0;
};
AskedSpot ask_at(const OpenSpot& spot, const Options& options);
// The hole, in the file's lines (syntax::describe).
std::string describe(const Ask& ask);

// Prints a usage error; returns 2.
int wrong_spot(const Status& status);

}  // namespace cinnabar::daemon
