// How good answers are to be, against how soon: one word for a choice of model, mode, drafts, repairs and alternatives. What an
// option or setting says by itself goes before it, and the deadline before all: it ends answers whatever is chosen here.
//
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/engine.h"

namespace cinnabar::daemon {

enum class Quality : std::uint8_t { fast, balanced, best };
std::optional<Quality> parse_quality(std::string_view text);  // "fast", "balanced", "best"

struct QualityChoice {
  // Runs where no model is named and the user has chosen none, if it is here; empty: the program's own. `before_choice`: even
  // if the user has chosen another one.
  std::string model;
  bool before_choice = false;
  engine::PreferredModes modes;  // what mode auto comes to; automatic: what the model's description says
  int drafts = -1;               // draft tokens a forward; -1: what the device runs nearly for free
  int repairs = 2;
  int alternatives = 3;
};
// The table.
const QualityChoice& choice_of(Quality quality);

}  // namespace cinnabar::daemon
