// The program's version, as --version, initialize and the proxy's greeting say it.
#pragma once

#include <string_view>

namespace cinnabar::daemon {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace cinnabar::daemon
