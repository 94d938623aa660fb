// Where an answer may be cut and still be a beginning that makes sense: behind whole statements, with nothing open.
// Lines and brackets alone. Pure functions.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "daemon/syntax/language.h"

namespace cinnabar::daemon::syntax {

// Lengths of such beginnings, the longest first; the whole answer is none of them. What the answer opens is closed in
// each, what is a header has its body, and the line that would come next begins a statement of its own. `language` may
// be null.
std::vector<std::size_t> cuts(std::string_view answer, const Language* language = nullptr);

}  // namespace cinnabar::daemon::syntax
