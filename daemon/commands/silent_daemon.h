// What `cinnabar doctor` says of a daemon that `cinnabar status` got no answer from.
#pragma once

#include <optional>
#include <string>

#include "daemon/commands/child_process.h"

namespace cinnabar::daemon {

struct Silence {
  std::string found;  // why there is no answer: never empty
  std::string mend;   // what to do: where the log is, and which process to end
};

// `status`: the command's end, nothing where it could not be started or took longer than `seconds`. `socket`: a path; who
// listens there is asked for its process, if anybody.
Silence silence_of(const std::optional<Finished>& status, int seconds, const std::string& socket);

}  // namespace cinnabar::daemon
