// The way out: where a dispatcher's messages go.
#pragma once

#include <string_view>

namespace cinnabar::lsp {

// Takes framed bytes towards one client; one call is one whole message. The dispatcher calls it under its connection's
// lock, from whatever thread gives a reply: calls never overlap, and must neither block for long nor call back into the
// dispatcher.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual void send(std::string_view bytes) = 0;
};

}  // namespace cinnabar::lsp
