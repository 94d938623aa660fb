// Other processes: whose a connection is, whether an editor has gone, whether a daemon stands still. The build picks one of the
// files that define it: process_linux.cc or process_darwin.cc.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <variant>

#include "base/file.h"

namespace cinnabar::daemon {

// The user and the process on the other side of a connected unix socket (of one that listens: who made it listen); none
// when the system does not say.
std::optional<uid_t> peer_user(int socket);
std::optional<pid_t> peer_process(int socket);

struct ProcessGone {};
// A descriptor that polls readable once `process` has ended; without one where the system has none to give.
std::variant<ProcessGone, Descriptor> watch_process(std::int32_t process);

// Kills a process of this user's that was stopped (SIGSTOP) and that nobody has let go on. False: it was not, or cannot be.
bool kill_if_stopped(pid_t process);

}  // namespace cinnabar::daemon
