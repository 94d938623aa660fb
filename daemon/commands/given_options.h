// Options on a command line that the model cannot use: they are refused, not ignored. An editor's settings are meant for
// any model and are not looked at here.
#pragma once

#include "daemon/config/options.h"
#include "engine/mode.h"

namespace cinnabar::daemon {

// `mode` is what the request would do, with this model and adapter. The message names the option, why it is of no use,
// and what would make it one.
Status check_given(const Options& options, engine::Mode mode, const engine::ModelSpec& spec, bool gated_adapter);

}  // namespace cinnabar::daemon
