// The file through which a daemon that listens on a TCP port and its proxies know each other: a secret that only the
// user can read, new at each start of a daemon.
#pragma once

#include <string>

#include "base/result.h"

namespace cinnabar::daemon {

// `chosen`, or "token" beside the socket.
std::string token_file_of(const std::string& chosen, const std::string& socket);

// Error: `path` is there and is a link, no file, another user's, or others may read it.
Status check_token_file(const std::string& path);

// Puts a new random token in the place of what is at `path` (0600), at once or not at all. Error: as above, or it
// cannot be written.
Result<std::string> write_new_token(const std::string& path);

// Error: there is none, or it is not as it has to be.
Result<std::string> read_token(const std::string& path);

}  // namespace cinnabar::daemon
