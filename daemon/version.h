// The program's version, as --version, serverInfo and the talk between proxy and daemon give it.
#pragma once

#include <string_view>

namespace cinnabar::daemon {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace cinnabar::daemon
