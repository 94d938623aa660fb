// How much of a document a slow device gets to read: as much as it would read within a time, going by what it read last.
// Pure but for what it remembers; one thread at a time.
#pragma once

#include "engine/request.h"

namespace cinnabar::daemon {

class PromptPace {
 public:
  // A prompt of that many unread tokens took so long.
  void read(int tokens, double milliseconds);
  // `whole`, halved as often as it has to be for a place that is new to be read in time. What is shown of a text, and so
  // what is kept of it, changes with that: it takes twice the pace to get the half back.
  engine::PromptBudget fitting(const engine::PromptBudget& whole);

 private:
  double milliseconds_a_token_ = 0;  // 0: not known yet
  int halved_ = 0;
};

}  // namespace cinnabar::daemon
