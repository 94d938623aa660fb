// How the command line is explained: help, other ways to ask for it, and names that are nearly right.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/commands/command_line.h"

namespace cinnabar::daemon {

// The arguments with other ways to ask for help or the version said in ours: -h, help COMMAND, version.
std::vector<std::string> plainly_said(std::vector<std::string> arguments);

// "; did you mean X?" where one of the names is nearly `word`; else empty.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& names);
std::vector<std::string> names_of(const std::vector<const Option*>& options);

void print_overview(std::ostream& out);
void print_help(const Command& command, std::ostream& out);
// Of the commands whose first word that is ("model"). False: none has it.
bool print_family(std::string_view first_word, std::ostream& out);

// Both print on standard error and return the exit status.
int wrong_usage(const std::string& message);
int no_such_command(const std::vector<std::string>& arguments);

}  // namespace cinnabar::daemon
