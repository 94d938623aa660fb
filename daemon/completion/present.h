// What of a model's answer is fit to be shown as text to insert. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "engine/request.h"

namespace cinnabar::daemon {

// The text to insert between `prefix` and `suffix`; empty: nothing worth showing. In this order:
//   broken text       an answer with ill-formed UTF-8, control characters, or characters that turn the reading
//                     direction (they can hide what code does) is withheld whole
//   stuck             a letter or digit more than 40 times in a row: withheld
//   stopped early     (deadline, length) a runaway repetition is withheld; else the part up to where it is whole: full
//                     lines, or on the only line up to the last place where all it opened is closed
//   line ends         as the text around has them
//   blanks            none at the end; an answer of blanks alone is none
//   echo              an answer that only repeats the line above or below the hole is withheld
std::string presentable(const engine::InfillAnswer& answer, std::string_view prefix, std::string_view suffix);

}  // namespace cinnabar::daemon
