// The options of the daemon's place. Values; any thread.
#pragma once

#include <string>

namespace cinnabar::daemon {

// Where the daemon is, for those who serve and those who call.
struct PlaceOptions {
  std::string socket;          // empty: the user's own (daemon/transport/socket.h)
  int tcp_port = 0;            // 0: none
  std::string token_file;      // of TCP; empty: "token" beside the socket
  int idle_exit_minutes = 10;  // 0: never
  bool in_process = false;     // lsp: serve in this process, without a daemon
};

}  // namespace cinnabar::daemon
