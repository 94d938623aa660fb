#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/page_guard.h"
#include "daemon/commands/command_line.h"

namespace {

// Output that did not get out is no success. Who closed the pipe knows why.
int written(int status) {
  errno = 0;
  std::cout.flush();
  const bool all = std::fflush(stdout) == 0 && std::ferror(stdout) == 0 && std::cout.good();
  if (all || status != 0) return status;
  if (errno != EPIPE) {
    std::cerr << "cinnabar: standard output cannot be written";
    std::cerr << (errno != 0 ? std::string(": ") + std::strerror(errno) : std::string()) << "\n";
  }
  return 1;
}

}  // namespace

int main(int count, char** values) {
  cinnabar::keep_standard_descriptors();
  cinnabar::guard_mapped_pages();
  std::signal(SIGPIPE, SIG_IGN);  // a reader that went away is an error of a write, not our end
  try {
    return written(cinnabar::daemon::run_command_line(std::vector<std::string>(values + 1, values + count)));
  } catch (const std::exception& error) {  // none should come as far as this
    std::cerr << "cinnabar: " << error.what() << "\n";
    return 1;
  }
}
