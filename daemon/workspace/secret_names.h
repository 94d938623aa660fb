// The names under which secrets are kept: globs as exclusions.h describes them; letter case never counts.
#pragma once

#include <string>
#include <vector>

namespace cinnabar::daemon {

const std::vector<std::string>& secret_names();

}  // namespace cinnabar::daemon
