#include "daemon/carrier/serve.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/setup.h"
#include "daemon/proxy/proxy.h"
#include "daemon/server.h"

namespace cinnabar::daemon {
namespace {

Status find_token(const PlaceOptions& place, FinderOptions& finder) {
  if (place.tcp_port == 0) return {};
  finder.tcp_port = static_cast<std::uint16_t>(place.tcp_port);
  const auto folder = finder.socket.substr(0, finder.socket.rfind('/'));
  auto token = token_in(place.token_file.empty() ? folder + "/token" : place.token_file);
  if (!token) return token.status();
  finder.token = *token;
  return {};
}

}  // namespace

int run_lsp(Options& options) {
  if (options.place.in_process) {
    const auto host = make_server({options});
    return serve_stdio(*host);
  }
  ProxyOptions proxy;
  auto path = socket_path(options.place.socket);
  if (!path) return failed(path.status());
  proxy.finder.socket = *path;
  if (const Status token = find_token(options.place, proxy.finder); !token.ok()) return failed(token);
  proxy.finder.command = {own_program(), "daemon", "--socket", *path};
  for (const auto& option : options.given) {
    if (option != "--stdio") proxy.finder.command.push_back(option);
  }
  return run_proxy(std::move(proxy));
}

}  // namespace cinnabar::daemon
