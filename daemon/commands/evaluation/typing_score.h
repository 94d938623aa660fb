// How good what an editor shows while somebody types is: the measures of one place, and tables of many. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "daemon/commands/evaluation/typing_script.h"

namespace cinnabar::daemon::evaluation {

// An answer as it was shown, or as the model gave it; see PlaceAnswer.
struct ShownText {
  std::string_view text;
  std::size_t covered = 0, replaced = 0;
};

enum class Outcome : std::uint8_t {
  nothing,
  exact,      // with it the cursor's line is what its author wrote
  beginning,  // its first words are; what is behind them is not, or they are not the whole line
  wrong,      // its first word is not
};

struct Judged {
  Outcome outcome = Outcome::nothing;
  int keys = 0;   // that the author presses from here to the line's end
  int saved = 0;  // of them, by taking an exact line with one key, or the right words of a beginning with one key each
};

// Blanks at a line's end do not count, others do. An answer whose first line is empty is judged by the next one.
Judged judge(const TypingPlace& place, const CursorText& around, const std::optional<ShownText>& shown);

// Whether the file parses worse with the answer than with what its author wrote, both with all closed that is open.
// Nothing: no grammar, or the text is over a limit.
std::optional<bool> breaks(const TypingScript& script, const TypingPlace& place, const CursorText& around,
                           const ShownText& shown);

struct ScoredPlace {
  std::string language, kind;
  Judged judged;
  std::optional<bool> broken;           // of what was shown
  Outcome withheld = Outcome::nothing;  // where nothing was shown: what the model said
  double milliseconds = 0;
};

// As Markdown: counts by language and by what stands before the cursor.
std::string typing_report(std::span<const ScoredPlace> places);

}  // namespace cinnabar::daemon::evaluation
