// What an editor says under `cinnabar`, as options: initializationOptions and pulled configuration. The keys are those
// of the command line's table (daemon/config/options.h).
#pragma once

#include <string>
#include <vector>

#include "daemon/config/options.h"
#include "lsp/response.h"

namespace cinnabar::daemon {

// Sets what `settings` names and leaves the rest; a member of null counts as not named. The settings may stand in a
// member "cinnabar". Returns a sentence for every key that is unknown or has a wrong value (such a key sets nothing).
// Where `options` says that the workspace is not trusted, the model group is refused.
std::vector<std::string> apply_settings(const lsp::Json& settings, Options& options);

// What makes these options of the defaults, for apply_settings: model, decoding and multiline, not which files are
// completed (languages, exclude, trusted).
lsp::Json settings_of(const Options& options);

}  // namespace cinnabar::daemon
