// What a client hears for whom there is no room: an answer to its initialize that says so, then nothing more.
#pragma once

#include <memory>
#include <string>

#include "daemon/transport/connection.h"

namespace cinnabar::daemon {

// A host whose connections refuse initialize with `why`.
std::unique_ptr<Host> make_refusing_host(std::string why);

}  // namespace cinnabar::daemon
