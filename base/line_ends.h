// Line ends of a text: "\n", or "\r\n" where its first line ends so. Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace cinnabar {

bool has_carriage_returns(std::string_view text);
inline std::string_view newline_of(std::string_view text) { return has_carriage_returns(text) ? "\r\n" : "\n"; }

// All line ends one way, and no other carriage return.
std::string with_line_ends(std::string_view text, bool carriage_returns);

}  // namespace cinnabar
