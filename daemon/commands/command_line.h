// The command line: the table of commands, parsing, --help and the shell completions. The options themselves:
// daemon/config/options.h.
//
// Main thread only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "daemon/config/options.h"

namespace cinnabar::daemon {

struct Command {
  std::string_view name;       // "complete", "model info"
  std::string_view arguments;  // "FILE:LINE:COL"
  std::string_view help;
  unsigned groups;       // Group bits: which options it takes
  int (*run)(Options&);  // the exit status: 0 done, 1 failed, 2 wrong usage
};

const std::vector<Command>& commands();
std::vector<const Option*> options_of(const Command& command);

// Parses and runs; prints help, usage errors and nothing else itself. `arguments` without the program's name.
int run_command_line(const std::vector<std::string>& arguments);

// "--stop=hole", "--stop hole"; `--` ends options. What is not said is as in `start`. Fails with a sentence that names
// the option and what it expects.
Result<Options> parse_options(const Command& command, const std::vector<std::string>& arguments, std::size_t first,
                              Options start = {});

// Completion script for "bash", "zsh" or "fish"; empty for another shell.
std::string completion_script(std::string_view shell);
std::string fish_completion();

}  // namespace cinnabar::daemon
