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

// What closes the elements that `text` opens and does not close, the innermost first: "<main>" wants "</main>". Empty where the
// language has none, and for elements of HTML that have no end.
std::string closing_tags(const Language& language, std::string_view text);

}  // namespace cinnabar::daemon::syntax
