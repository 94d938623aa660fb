// What of a model's answer is fit to be shown as text to insert. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "daemon/completion/fit.h"
#include "engine/request.h"

namespace cinnabar::daemon {

// The text to insert in `place`; empty: nothing worth showing. In this order:
//   broken text       an answer with ill-formed UTF-8, control characters, or characters that turn the reading
//                     direction (they can hide what code does) is withheld whole
//   stuck             a letter or digit more than 40 times in a row: withheld
//   stopped early     (deadline, length) a runaway repetition is withheld; else the part up to where it is whole: full
//                     lines (syntax/cuts.h), or on the only line up to the last place where all it opened is closed
//   place             blanks, indentation, and what stands behind the cursor already (fit.h)
//   echo              an answer that only repeats the line above or below the hole is withheld
//   line ends         as the text around has them
std::string presentable(const engine::InfillAnswer& answer, const Fitting& place);

// The same where nothing is known but the text.
std::string presentable(const engine::InfillAnswer& answer, std::string_view prefix, std::string_view suffix);

// Whether it is well-formed UTF-8 without control characters, tabs and line ends apart, and without characters that turn
// the reading direction.
bool is_clean(std::string_view text);

}  // namespace cinnabar::daemon
