#include "daemon/transport/refusal.h"

#include <utility>

#include "lsp/dispatcher.h"
#include "lsp/lifecycle.h"

namespace cinnabar::daemon {
namespace {

class Refusal final : public Connection {
 public:
  Refusal(std::shared_ptr<lsp::Transport> out, const std::string& why) : dispatcher_(std::move(out), {}) {
    dispatcher_.on_request(lsp::kInitialize, [why](const lsp::InitializeParams&, auto reply) {
      reply.error(lsp::ErrorCode::request_failed, why);
    });
  }
  void receive(std::string_view bytes) override { dispatcher_.receive(bytes); }
  bool closed() const override { return dispatcher_.closed(); }
  std::optional<int> exit_code() const override { return dispatcher_.exit_code(); }
  std::size_t requests_in_flight() const override { return dispatcher_.requests_in_flight(); }

 private:
  lsp::Dispatcher dispatcher_;
};

class RefusingHost final : public Host {
 public:
  explicit RefusingHost(std::string why) : why_(std::move(why)) {}
  std::unique_ptr<Connection> connect(std::shared_ptr<lsp::Transport> out) override {
    return std::make_unique<Refusal>(std::move(out), why_);
  }

 private:
  const std::string why_;
};

}  // namespace

std::unique_ptr<Host> make_refusing_host(std::string why) { return std::make_unique<RefusingHost>(std::move(why)); }

}  // namespace cinnabar::daemon
