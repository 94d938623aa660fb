// What all sessions of one daemon share: the model's runner, the counts, and what they start from.
#pragma once

#include "daemon/options.h"
#include "daemon/stats.h"
#include "engine/runner.h"
#include "lsp/response.h"

namespace cinnabar::daemon {

// Whether both would load the same model the same way.
bool same_engine(const engine::EngineOptions& a, const engine::EngineOptions& b);

// Everything in it is thread-safe.
class Services {
 public:
  virtual ~Services() = default;
  virtual engine::Runner& runner() = 0;
  virtual Stats& stats() = 0;
  // What every session starts from: the command line's.
  virtual const Options& defaults() const = 0;
  // A session's settings have come to name another model, or another way to run it: loads it for all, unless it is the
  // one that is there. The last word counts.
  virtual void choose_model(const engine::EngineOptions& options) = 0;
  // The answer to cinnabar/status.
  virtual lsp::Json status() = 0;
};

}  // namespace cinnabar::daemon
