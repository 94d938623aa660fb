#include "daemon/commands/setup.h"

#include <iostream>

#include "daemon/transport/token.h"

namespace cinnabar::daemon {

int failed(const Status& status) {
  std::cerr << "cinnabar: " << status.message() << "\n";
  return 1;
}

Result<FinderOptions> finder_options(const PlaceOptions& place) {
  FinderOptions finder;
  std::string notice;
  auto path = socket_path(place.socket, &notice);
  if (!path) return path.status();
  if (!notice.empty()) std::cerr << "cinnabar: " << notice << "\n";
  finder.socket = *path;
  finder.tcp_port = static_cast<std::uint16_t>(place.tcp_port);
  finder.token_file = token_file_of(place.token_file, finder.socket);
  return finder;
}

engine::DecodeLimits limits_of(const Options& options) {
  engine::DecodeLimits limits;
  if (options.request.deadline_ms > 0)
    limits.deadline = std::chrono::steady_clock::now() + deadline_of(options.request, {});
  return limits;
}

Result<Answered> answered_by(engine::Engine& engine, AnswerMachine& machine, const engine::DecodeLimits& limits,
                             const engine::StepObserver& observer, const engine::LogitsSink& sink) {
  for (bool last = false; !last;) {
    auto result = engine.infill(machine.request(), limits, observer, sink);
    if (!result) return result.status();
    last = machine.take(std::move(result).value());
  }
  return machine.finish();
}

}  // namespace cinnabar::daemon
