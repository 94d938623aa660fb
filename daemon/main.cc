#include <csignal>
#include <string>
#include <vector>

#include "daemon/commands/command_line.h"

int main(int count, char** values) {
  std::signal(SIGPIPE, SIG_IGN);  // a reader that went away is an error of a write, not our end
  return cinnabar::daemon::run_command_line(std::vector<std::string>(values + 1, values + count));
}
