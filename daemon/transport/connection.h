// Where the daemon's two halves meet: what carries bytes (sockets, stdio) and what answers them (sessions).
//
// Main thread only, except Transport::send of lsp/transport.h, which any thread may call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "lsp/transport.h"

namespace cinnabar::daemon {

// One client's server side, from its first byte to its last. Destroying it cancels what is in flight for that client.
class Connection {
 public:
  virtual ~Connection() = default;
  // Takes the next bytes from the client. What they ask for may be left to turn().
  virtual void receive(std::string_view bytes) = 0;
  // Does some of what was asked for, for a few milliseconds; true: there is more to do. Clients take turns.
  virtual bool turn() { return false; }
  // True when nothing more will be read: the client has sent exit, or bytes that cannot be cut into messages.
  virtual bool closed() const = 0;
  // 0 or 1 once the client has sent exit.
  virtual std::optional<int> exit_code() const = 0;
  // Requests of the client's that have no answer yet: an orderly end waits for them, for a while.
  virtual std::size_t requests_in_flight() const = 0;
  // The editor's process, where the client has named it: a server in the editor's own service ends with it.
  virtual std::optional<std::int32_t> editor_process() const { return std::nullopt; }
};

// Makes connections, which share one engine. Outlives them.
class Host {
 public:
  virtual ~Host() = default;
  // `out` takes the bytes towards the client.
  virtual std::unique_ptr<Connection> connect(std::shared_ptr<lsp::Transport> out) = 0;
  // Its end would wait for what cannot be stopped (a model is being loaded): who has nothing else to do ends the process.
  virtual bool ends_slowly() const { return false; }
};

}  // namespace cinnabar::daemon
