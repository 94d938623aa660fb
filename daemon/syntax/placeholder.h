// What could stand in a hole and be right by its grammar: texts that the critic compares an answer with. While somebody
// types, the document with nothing in the hole is broken in most places, and an answer has to be better than that.
//
// Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/syntax/plan.h"

namespace cinnabar::daemon::syntax {

// The most likely one first. `before` and `behind` are the hole's line in front of it and behind it.
std::vector<std::string> placeholders(const Language& language, const Hole& hole, std::string_view before,
                                      std::string_view behind);

}  // namespace cinnabar::daemon::syntax
