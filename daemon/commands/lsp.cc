#include <cstdlib>
#include <iostream>
#include <utility>

#include "base/system.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/setup.h"
#include "daemon/proxy/proxy.h"
#include "daemon/server/server.h"
#include "daemon/transport/serve.h"

namespace cinnabar::daemon {

int run_lsp(Options& options) {
  if (options.place.in_process) {
    ServerOptions server{options};
    if (!options.record.empty()) {
      auto recorder = Recorder::open(options.record, [](const std::string& line) { std::cerr << line << "\n"; });
      if (!recorder) return failed(recorder.status());
      server.recorder = std::move(recorder).value();
    }
    const auto host = make_server(std::move(server));
    const auto status = serve_stdio(*host);
    const int exit_status = status ? *status : failed(status.status());
    if (host->ends_slowly()) std::_Exit(exit_status);
    return exit_status;
  }
  ProxyOptions proxy;
  auto finder = finder_options(options.place);
  if (!finder) return failed(finder.status());
  proxy.finder = std::move(finder).value();
  proxy.finder.command = {own_program(), "daemon", "--socket", proxy.finder.socket};
  for (const auto& option : options.command.given) {
    if (option != "--stdio") proxy.finder.command.push_back(option);
  }
  return run_proxy(std::move(proxy));
}

}  // namespace cinnabar::daemon
