// What a run of logits says. A plain struct in a plain header, for every instruction set and device.
#pragma once

#include <stdint.h>

namespace cinnabar::kernels {

// Exponentials are relative to `max`.
struct LogitSummary {
  float max, second;
  int32_t best;    // index in the run of the first `max`; -1: nothing is allowed
  float sum;       // of exp(l - max)
  float weighted;  // of (l - max) exp(l - max)
};

}  // namespace cinnabar::kernels
