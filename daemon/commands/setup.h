// What several commands begin with: the engine, the installed model's place, and the daemon's.
#pragma once

#include <memory>
#include <string>

#include "daemon/config/options.h"
#include "daemon/proxy/finder.h"

namespace cinnabar::daemon {

// Opens options.engine.model, or the embedded model. Errors say which path was tried.
Result<std::unique_ptr<engine::Engine>> open_engine(const Options& options);

// The same on a given device.
Result<std::unique_ptr<engine::Engine>> open_engine(const Options& options, std::unique_ptr<kernels::Backend> backend);

// The folder of the embedded model: models/default beside the source tree or the installation this program runs from.
// Empty when there is none.
std::string embedded_model();

// The device that the options ask for.
Result<std::unique_ptr<kernels::Backend>> open_device(const Options& options);

// Prints "cinnabar: message" on standard error; returns 1.
int failed(const Status& status);

// Where the user's daemon is; nothing is started. Error: the socket's path.
Result<FinderOptions> finder_options(const PlaceOptions& place);

engine::DecodeLimits limits_of(const Options& options);

// Runs the machine's requests until it has its last answer.
Result<Answered> answered_by(engine::Engine& engine, AnswerMachine& machine, const engine::DecodeLimits& limits,
                             const engine::StepObserver& observer = {});

}  // namespace cinnabar::daemon
