#include "daemon/config/quality.h"

#include <array>

namespace cinnabar::daemon {
namespace {

using engine::Mode;

// What the columns rest on (models/default/README.md, models/coder-1.5b/README.md; held-out holes):
//   model          single lines with the text that was there: see the two cards; the larger one costs three to four times
//                  the time of a forward, and twice the forwards
//   mode           diffusion, the same model: 0.350 forwards a token instead of 0.385, 28.5 % exact instead of 30.3. On a CPU a
//                  forward's rows cost what they save, on a GPU a forward costs the same whatever its rows
//   repairs        2 against 0: 92.6 instead of 89.8 % of the holes have an answer, for 113 forwards in 284 holes
//   alternatives   sampled side by side in the same forwards; each is one more answer that may have to be read
constexpr const char* kLarger = "coder-1.5b";
const std::array<QualityChoice, 3> kTable = {{
    {"", true, {.cpu = Mode::automatic, .gpu = Mode::diffusion}, -1, 0, 2},      // fast
    {"", false, {.cpu = Mode::automatic, .gpu = Mode::automatic}, -1, 2, 3},     // balanced
    {kLarger, false, {.cpu = Mode::verified, .gpu = Mode::verified}, -1, 2, 3},  // best
}};

}  // namespace

std::optional<Quality> parse_quality(std::string_view text) {
  if (text == "fast") return Quality::fast;
  if (text == "balanced") return Quality::balanced;
  if (text == "best") return Quality::best;
  return std::nullopt;
}

const QualityChoice& choice_of(Quality quality) { return kTable[static_cast<std::size_t>(quality)]; }

}  // namespace cinnabar::daemon
