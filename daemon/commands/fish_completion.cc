#include <set>
#include <string>

#include "daemon/commands/command_line.h"

namespace cinnabar::daemon {
namespace {

// In single quotes, as fish reads them.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string_view first_line(std::string_view text) { return text.substr(0, text.find('\n')); }

// The condition under which an option of `name` ("model info") is offered.
std::string seen(std::string_view name) {
  const std::size_t space = name.find(' ');
  std::string condition = "__fish_seen_subcommand_from " + std::string(name.substr(0, space));
  if (space != std::string_view::npos)
    condition += "; and __fish_seen_subcommand_from " + std::string(name.substr(space + 1));
  return condition;
}

}  // namespace

std::string fish_completion() {
  std::string script;
  std::set<std::string> first_words;
  for (const Command& command : commands()) {
    const std::size_t space = command.name.find(' ');
    const std::string first(command.name.substr(0, space)), help = quoted(first_line(command.help));
    if (first_words.insert(first).second)
      script += "complete -c cinnabar -n __fish_use_subcommand -f -a " + first +
                (space == std::string_view::npos ? " -d " + help : "") + "\n";
    if (space != std::string_view::npos)
      script += "complete -c cinnabar -n " + quoted("__fish_seen_subcommand_from " + first) + " -f -a " +
                std::string(command.name.substr(space + 1)) + " -d " + help + "\n";
  }
  script +=
      "complete -c cinnabar -n __fish_use_subcommand -l help\ncomplete -c cinnabar -n __fish_use_subcommand -l "
      "version\n";
  for (const Command& command : commands()) {
    for (const Option* option : options_of(command)) {
      script += "complete -c cinnabar -n " + quoted(seen(command.name)) + " -l " + std::string(option->name);
      if (option->value == "PATH")
        script += " -r";
      else if (!option->choices.empty())
        script += " -x -a " + quoted(option->choices);
      else if (!option->value.empty())
        script += " -x";
      script += " -d " + quoted(first_line(option->help)) + "\n";
    }
  }
  return script;
}

}  // namespace cinnabar::daemon
