// What all sessions of one daemon share: the model's runner, the counts, and what they start from.
#pragma once

#include "daemon/config/options.h"
#include "daemon/server/recording.h"
#include "daemon/server/stats.h"
#include "engine/engine.h"
#include "engine/runner.h"
#include "lsp/response.h"

namespace cinnabar::daemon {

// Everything in it is thread-safe.
class Services {
 public:
  virtual ~Services() = default;
  virtual engine::Runner& runner() = 0;
  virtual Stats& stats() = 0;
  // What every session starts from: the command line's.
  virtual const Options& defaults() const = 0;
  // A session's settings name this model, and this way to run it. Whether it becomes the shared one:
  // daemon/server/shared_model.h.
  virtual void choose_model(engine::ClientId client, const ModelOptions& options) = 0;
  // Why the shared model is not what this client's settings name; empty: it is.
  virtual std::string model_refusal(engine::ClientId client) = 0;
  // What its answers are judged by: what came with the shared model.
  virtual GateWeights gate() = 0;
  // How it is asked for a next edit.
  virtual NextEditForm next_edit_form() = 0;
  // Whether requests are recorded; then each that the model has run goes to record().
  virtual bool records() const = 0;
  virtual void record(Recording recording) = 0;
  // The answer to cinnabar/status.
  virtual lsp::Json status() = 0;
};

}  // namespace cinnabar::daemon
