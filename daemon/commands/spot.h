// FILE:LINE:COL, the argument of the commands that work at one place of a file.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "daemon/syntax/plan.h"
#include "daemon/workspace/documents/region.h"

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

// What would be filled there, and the part of the file in which that was planned, whose offsets the plan has.
struct PlannedSpot {
  syntax::SitePtr site;
  syntax::Plan plan;
};
PlannedSpot plan_spot(const OpenSpot& spot);
// syntax::describe, in the file's lines.
std::string describe(const PlannedSpot& planned);

// Prints a usage error; returns 2.
int wrong_spot(const Status& status);

}  // namespace cinnabar::daemon
