// What several commands begin with: the daemon's place, a request's limits, and a machine run to its end.
#pragma once

#include <memory>
#include <string>

#include "daemon/config/options.h"
#include "daemon/proxy/finder.h"
#include "daemon/server/open_engine.h"

namespace cinnabar::daemon {

// Prints "cinnabar: message" on standard error; returns 1.
int failed(const Status& status);

// Where the user's daemon is; nothing is started. Error: the socket's path.
Result<FinderOptions> finder_options(const PlaceOptions& place);

engine::DecodeLimits limits_of(const Options& options);

// Runs the machine's requests until it has its last answer.
Result<Answered> answered_by(engine::Engine& engine, AnswerMachine& machine, const engine::DecodeLimits& limits,
                             const engine::StepObserver& observer = {}, const engine::LogitsSink& sink = {});

}  // namespace cinnabar::daemon
