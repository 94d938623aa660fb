// Other processes of this user's: whether an editor has gone, whether a daemon stands still.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <variant>

#include "base/file.h"

namespace cinnabar::daemon {

struct ProcessGone {};
// A descriptor that polls readable once `process` has ended; without one where the system has none to give.
std::variant<ProcessGone, Descriptor> watch_process(std::int32_t process);

// Whether it was stopped (SIGSTOP) and nobody has let it go on.
bool is_stopped(pid_t process);

}  // namespace cinnabar::daemon
