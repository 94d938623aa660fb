// The two ways in: one client over standard input and output, or many over the user's socket.
//
// Everything runs on the calling thread's event loop until it returns; only answers come from elsewhere (Outlet).
// Neither function prints; `log` gets one line for a person about each client that comes and goes, without any text of
// theirs.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "daemon/transport/connection.h"
#include "daemon/transport/handshake.h"
#include "daemon/transport/socket.h"
#include "daemon/version.h"

namespace cinnabar::daemon {

struct ServeOptions {
  std::string socket;                                // the unix socket's path; empty: the user's own (socket_path)
  std::uint16_t tcp_port = 0;                        // on 127.0.0.1, beside the socket; 0: none
  std::string token_file;                            // of TCP; empty: "token" beside the socket
  std::chrono::seconds idle_exit{600};               // without clients; 0: never
  std::chrono::milliseconds drain_limit{5'000};      // for answers in flight after SIGTERM
  std::size_t output_limit = std::size_t{16} << 20;  // bytes that may wait for one client
  std::size_t clients = 256;                         // more are told so and sent away
  std::string version = std::string(kVersion);       // what is said to proxies
  std::function<void(const std::string&)> log = {};
};

// Serves standard input and output. Returns the exit status: what the client's `exit` said, 1 when it went away without
// one or its editor's process has gone, 0 after SIGTERM or SIGINT (answers in flight are waited for as long as
// drain_limit says). Error: the system gives no descriptors.
Result<int> serve_stdio(Host& host, const ServeOptions& options = {});

// The place in the world of a daemon that is about to serve: its lock is held and its sockets listen, so clients can
// already wait in the queue while a host is being made.
struct Listeners {
  std::string socket;
  std::optional<Descriptor> lock;  // none where the socket was handed over (LISTEN_FDS)
  Descriptor local;
  std::optional<FileIdentity> file;  // of the socket, where it is ours to remove
  Descriptor tcp;                    // none without a port
  std::string token;
};

// SIGTERM and SIGINT wait from here on, for serve(): whoever has seen the socket may send one.
// None: another daemon of this user's has the place. Error: the folder, the socket, the port or the token is not as it
// has to be.
Result<std::optional<Listeners>> open_listeners(const ServeOptions& options);

// Serves until SIGTERM or SIGINT, a proxy's wish to drain, or idle_exit; a second signal ends it at once. On the way
// out the place is given up first, so that a successor can start while the last answers go out. Error: the system gives no
// descriptors.
Status serve(Host& host, Listeners listeners, const ServeOptions& options);

}  // namespace cinnabar::daemon
