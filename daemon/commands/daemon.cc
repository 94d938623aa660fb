#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <utility>

#include "daemon/commands/commands.h"
#include "daemon/commands/setup.h"
#include "daemon/server/server.h"
#include "daemon/transport/serve.h"

namespace cinnabar::daemon {
namespace {

// One line on standard error: the daemon's log, wherever whoever started it lets that go.
void log(const std::string& line) {
  char time[32];
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  std::strftime(time, sizeof time, "%F %T", localtime_r(&now, &local));
  std::fprintf(stderr, "%s %s\n", time, line.c_str());
}

// A client takes two descriptors, and shells allow 1,024 where the system would give more.
void allow_descriptors() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = std::min(std::max<rlim_t>(files.rlim_cur, 4096), files.rlim_max);
  setrlimit(RLIMIT_NOFILE, &files);
}

}  // namespace

int run_daemon(Options& options) {
  allow_descriptors();
  ServeOptions serving;
  serving.socket = options.place.socket;
  serving.tcp_port = static_cast<std::uint16_t>(options.place.tcp_port);
  serving.token_file = options.place.token_file;
  serving.idle_exit = std::chrono::minutes(options.place.idle_exit_minutes);
  serving.log = log;
  ServerOptions server{options};
  auto listeners = open_listeners(serving);
  if (!listeners) return failed(listeners.status());
  if (!*listeners) {
    log("another daemon of yours has the place: nothing to do");
    return 0;
  }
  log("serving at " + (*listeners)->socket);
  if (!options.record.empty()) {
    auto recorder = Recorder::open(options.record, log);
    if (!recorder) return failed(recorder.status());
    server.recorder = std::move(recorder).value();
  }
  const auto host = make_server(std::move(server));
  const Status served = serve(*host, std::move(**listeners), serving);
  const int status = served.ok() ? 0 : failed(served);
  if (host->ends_slowly()) std::_Exit(status);  // its place is given up, and its log is not buffered
  return status;
}

}  // namespace cinnabar::daemon
