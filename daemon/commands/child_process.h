// Runs another program and waits for it: for commands that ask an editor its version or hand it a file.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace cinnabar::daemon {

struct Finished {
  int status = 0;      // its exit status; 128 + the signal that ended it
  std::string output;  // of standard output and standard error; at most a MiB
};

// The file that a shell would run for `name`, which may be a path; nothing if there is none in $PATH.
std::optional<std::string> find_program(const std::string& name);

// Runs command[0], a path, with standard input closed. Nothing: it could not be started, or took longer than `seconds`
// and was ended.
std::optional<Finished> run_program(const std::vector<std::string>& command, int seconds = 10);

}  // namespace cinnabar::daemon
