#include <map>
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

// One `complete` line for each command and option.
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
      if (option->value == "PATH" || option->value == "MODEL")
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

}  // namespace

std::string completion_script(std::string_view shell) {
  if (shell == "fish") return fish_completion();
  if (shell != "bash" && shell != "zsh") return {};
  std::string script = shell == "zsh" ? "#compdef cinnabar\nautoload -U +X bashcompinit && bashcompinit\n" : "";
  script +=
      "_cinnabar() {\n  local word=${COMP_WORDS[COMP_CWORD]} last=${COMP_WORDS[COMP_CWORD-1]}\n  case \"$last\" in\n";
  std::set<std::string_view> said;
  for (const Command& command : commands()) {
    for (const Option* option : options_of(command)) {
      if (option->choices.empty() || !said.insert(option->name).second) continue;
      script += "    --" + std::string(option->name) + ") COMPREPLY=($(compgen -W '" + std::string(option->choices) +
                "' -- \"$word\")); return;;\n";
    }
  }
  script += "  esac\n  case \"${COMP_WORDS[1]} ${COMP_WORDS[2]}\" in\n";
  std::string first_words;
  std::map<std::string, std::string> second_words;
  for (const Command& command : commands()) {
    const std::size_t space = command.name.find(' ');
    const std::string first(command.name.substr(0, space));
    if (first_words.find(first + " ") == std::string::npos) first_words += first + " ";
    if (space != std::string_view::npos) second_words[first] += std::string(command.name.substr(space + 1)) + " ";
    std::string words;
    for (const Option* option : options_of(command)) words += "--" + std::string(option->name) + " ";
    script += "    '" + std::string(command.name) + "'" + (space == std::string_view::npos ? "\\ *" : "*") +
              ") COMPREPLY=($(compgen -W '" + words + "--help' -- \"$word\") $(compgen -f -- \"$word\")); return;;\n";
  }
  script += "  esac\n  case \"${COMP_WORDS[1]}\" in\n";
  for (const auto& [first, words] : second_words) {
    script += "    " + first + ") COMPREPLY=($(compgen -W '" + words + "' -- \"$word\")); return;;\n";
  }
  script += "  esac\n";
  script += "  COMPREPLY=($(compgen -W '" + first_words +
            "--help --version' -- \"$word\"))\n}\ncomplete -F _cinnabar cinnabar\n";
  // Installed for zsh the script is an autoloaded function, which has to answer the first time, too.
  if (shell == "zsh") script += "[[ ${funcstack[1]} == _cinnabar ]] && _bash_complete -F _cinnabar\n";
  return script;
}

}  // namespace cinnabar::daemon
