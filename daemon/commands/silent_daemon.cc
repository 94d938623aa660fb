#include "daemon/commands/silent_daemon.h"

#include <fstream>

#include "daemon/transport/process.h"
#include "daemon/transport/socket.h"

namespace cinnabar::daemon {
namespace {

// A process's name; empty where the system does not say it.
std::string name_of(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/comm");
  std::string name;
  std::getline(file, name);
  return name;
}

std::string reason(const std::optional<Finished>& status, int seconds) {
  if (!status) return "'cinnabar status' could not be started, or took longer than " + std::to_string(seconds) + " s";
  const std::string said = status->output.substr(0, status->output.find('\n'));
  if (status->status != 0 && !said.empty()) return said;
  return "'cinnabar status' ended with " + std::to_string(status->status) +
         (said.empty() ? " and said nothing" : " and said what this version does not know: " + said.substr(0, 200));
}

}  // namespace

Silence silence_of(const std::optional<Finished>& status, int seconds, const std::string& socket) {
  Silence silence{reason(status, seconds), "its log is " + socket + ".log"};
  const Attempt attempt = connect_to(socket);
  const auto process = attempt.socket ? peer_process(attempt.socket.get()) : std::nullopt;
  if (!process) {
    silence.mend += "; nobody listens at the socket now: the next editor starts another";
    return silence;
  }
  // The socket may be a service manager's, which is not to be ended.
  const std::string name = name_of(*process), number = std::to_string(*process);
  silence.mend += name == "cinnabar"
                      ? "; end it, the next editor starts another: kill " + number
                      : "; process " + number + (name.empty() ? "" : " (" + name + ")") + " listens there";
  return silence;
}

}  // namespace cinnabar::daemon
