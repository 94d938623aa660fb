// The least that has to be replaced to make one text of another: whole lines, then within a line.
//
// Pure functions. Offsets are bytes of the old text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace cinnabar::daemon {

// In order, none touching another; empty where both are equal. Where a line became another line, only what lies between
// their common beginning and end is replaced, cut at UTF-8 borders.
std::vector<TextChange> minimal_changes(std::string_view before, std::string_view after);

std::string with_changes(std::string_view before, const std::vector<TextChange>& changes);

}  // namespace cinnabar::daemon
