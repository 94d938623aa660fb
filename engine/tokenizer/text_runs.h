// Untrusted text as runs that are valid UTF-8 and runs that are not, for tokenizers whose rules speak of characters.
#pragma once

#include <cstddef>
#include <string_view>

namespace cinnabar::engine {

// A character's length in bytes (1 to 4) where `text` starts with a valid UTF-8 sequence (no overlong form, no
// surrogate, at most U+10FFFF); 0 where it does not, or is empty.
std::size_t utf8_character(std::string_view text);

// Bytes at the end of `text` that look like a character without its last ones: 0 to 3. What follows may make them one.
std::size_t unfinished_character(std::string_view text);

struct TextRun {
  std::string_view bytes;
  bool valid_utf8;
};

// Cuts the first maximal run off `text`, which must not be empty: valid characters up to the first byte that starts
// none, or the bytes up to the next that does. Concatenated runs are the text. Linear over all calls.
TextRun next_run(std::string_view& text);

}  // namespace cinnabar::engine
