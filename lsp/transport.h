// The way out: where a dispatcher's messages go.
#pragma once

#include <string_view>

namespace cinnabar::lsp {

// Takes framed bytes towards one client. Replies may be given on any thread, so send() must be thread-safe; one call is
// one whole message and messages go out in the order of the calls. Called under the
// connection's lock: must neither block for long nor call back into the dispatcher.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual void send(std::string_view bytes) = 0;
};

}  // namespace cinnabar::lsp
