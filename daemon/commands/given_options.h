// Options on a command line that the model cannot use: they are refused, not ignored. Which decoder takes which option
// stands in daemon/config/options.cc. An editor's settings are meant for any model: a session only says which of them
// are of no use (daemon/server/session.h).
#pragma once

#include <memory>

#include "daemon/config/options.h"
#include "engine/engine.h"

namespace cinnabar::daemon {

// The message names the option, why it is of no use, and what would make it one.
Status check_given(const Options& options, const engine::Way& way);
// `mode` is what the request would do; an error, too, where the model cannot.
Status check_given(const Options& options, engine::Mode mode, const engine::Engine& engine);

// open_engine, and then check_given in the mode that the options say.
Result<std::unique_ptr<engine::Engine>> open_engine_as_given(Options& options);

}  // namespace cinnabar::daemon
