// How broken a text is whose writing is not over: what is open at the cursor gets closed first, as its author would do.
//
// Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/syntax/language.h"

namespace cinnabar::daemon::evaluation {

// What closes the strings, brackets and words that `before` leaves open and `behind` does not close, the innermost first.
// A scan of characters: it knows strings and comments as most languages write them.
std::vector<std::string> open_closers(const syntax::Language& language, std::string_view before,
                                      std::string_view behind);

// The fewest ERROR and MISSING nodes that the text can have with its closers and, where a statement has only been begun,
// something in the stead of its rest. Nothing: the text is over a limit of size or time.
std::optional<int> wrong_when_repaired(const syntax::Language& language, const std::string& before,
                                       const std::string& behind);

}  // namespace cinnabar::daemon::evaluation
