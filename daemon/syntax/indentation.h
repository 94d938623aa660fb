// What a place is indented with, and answers put into that: the cursor's own line is the best evidence, then the lines
// nearest to it, then what the editor says of the file, then the custom of its language.
//
// Pure functions; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/text.h"

namespace cinnabar::daemon::syntax {

// By the lines of `text` alone, those nearest to byte `offset` first; none where no line is indented.
std::optional<IndentStyle> indent_style_near(std::string_view text, std::size_t offset);

// The same, with what the editor says (`formatting`) and the custom of the language `id` (LSP's) behind it. None where
// nothing is known.
std::optional<IndentStyle> indent_style_at(std::string_view text, std::size_t offset, std::string_view id,
                                           const std::optional<IndentStyle>& formatting = std::nullopt);

// The answer with `style`'s kind of indentation: tabs for blanks or blanks for tabs, level by level. `line_before` is
// what stands in front of the answer on its line: where that is blank, it says how deep the answer's lines are meant.
std::string with_indentation_of(std::string_view answer, const IndentStyle& style, std::string_view line_before = "x");

}  // namespace cinnabar::daemon::syntax
