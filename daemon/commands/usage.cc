#include "daemon/commands/usage.h"

#include <algorithm>
#include <array>
#include <iostream>
#include <iterator>
#include <numeric>
#include <sstream>
#include <utility>

namespace cinnabar::daemon {
namespace {

// What most people need, in the order they need it; the others follow as they stand in the table.
constexpr std::array<std::string_view, 8> kEveryday = {"lsp",  "daemon",     "status",     "complete",
                                                       "fill", "model list", "model info", "model verify"};

std::ptrdiff_t rank(const Command* command) {
  return std::distance(kEveryday.begin(), std::find(kEveryday.begin(), kEveryday.end(), command->name));
}

// Letters to insert, remove or replace that make one of the other.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

// Without its line ends.
std::string first_sentence(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool last = text[i] == '.' && (i + 1 == text.size() || text[i + 1] == ' ' || text[i + 1] == '\n');
    out += text[i] == '\n' ? ' ' : text[i];
    if (last) break;
  }
  return out;
}

void print_line(const Command& command, std::ostream& out) {
  constexpr std::size_t kIndent = 32, kWidth = 110;
  std::string line = "  " + std::string(command.name) + " " + std::string(command.arguments);
  if (line.size() + 2 > kIndent) {
    out << line << "\n";
    line.clear();
  }
  line.resize(kIndent, ' ');
  std::istringstream words(first_sentence(command.help));
  for (std::string word; words >> word;) {
    if (line.size() + 1 + word.size() > kWidth) {
      out << line << "\n";
      line.assign(kIndent, ' ');
    }
    line += (line.back() == ' ' ? "" : " ") + word;
  }
  out << line << "\n";
}

}  // namespace

std::vector<std::string> plainly_said(std::vector<std::string> arguments) {
  if (arguments.empty()) return arguments;
  const auto options_end = std::find(arguments.begin(), arguments.end(), "--");
  std::replace(arguments.begin(), options_end, std::string("-h"), std::string("--help"));
  if (arguments[0] == "version" || arguments[0] == "-V" || arguments[0] == "-v") arguments[0] = "--version";
  if (arguments[0] == "help" || (arguments[0] == "--help" && arguments.size() > 1)) {
    arguments.erase(arguments.begin());
    arguments.insert(arguments.end(), "--help");
  }
  return arguments;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& names) {
  const std::string* best = nullptr;
  std::size_t least = std::min<std::size_t>(word.size() / 2, 2) + 1;
  for (const std::string& name : names) {
    const bool begins = word.size() >= 3 && name.starts_with(word);
    const std::size_t apart = begins ? 1 : distance(word, name);
    if (apart < least) {
      least = apart;
      best = &name;
    }
  }
  return best == nullptr ? std::string() : "; did you mean '" + *best + "'?";
}

std::vector<std::string> names_of(const std::vector<const Option*>& options) {
  std::vector<std::string> names;
  for (const Option* option : options) names.push_back(std::string(option->name));
  return names;
}

void print_overview(std::ostream& out) {
  out << "Local code completion with a masked-diffusion language model.\n\nUsage: cinnabar COMMAND ...\n\nCommands:\n";
  std::vector<const Command*> ordered;
  for (const Command& command : commands()) ordered.push_back(&command);
  std::stable_sort(ordered.begin(), ordered.end(), [](auto* a, auto* b) { return rank(a) < rank(b); });
  for (const Command* command : ordered) print_line(*command, out);
  out << "\n'cinnabar COMMAND --help' lists a command's options. Exit status: 0 done, 1 failed, 2 wrong usage.\n";
}

void print_help(const Command& command, std::ostream& out) {
  out << "Usage: cinnabar " << command.name << " [OPTION...] " << command.arguments << "\n" << command.help << "\n";
  const auto options = options_of(command);
  if (!options.empty()) out << "\nOptions:\n";
  for (const Option* option : options) {
    std::string left = "  --" + std::string(option->name);
    if (!option->value.empty()) left += " " + std::string(option->value);
    left.resize(std::max<std::size_t>(left.size() + 1, 24), ' ');
    out << left << option->help << (option->choices.empty() ? "" : "; one of: " + std::string(option->choices)) << "\n";
  }
}

bool print_family(std::string_view first_word, std::ostream& out) {
  std::vector<const Command*> family;
  for (const Command& command : commands())
    if (command.name.starts_with(std::string(first_word) + " ")) family.push_back(&command);
  if (family.empty()) return false;
  out << "Usage: cinnabar " << first_word << " COMMAND ...\n\nCommands:\n";
  for (const Command* command : family) print_line(*command, out);
  return true;
}

int wrong_usage(const std::string& message) {
  std::cerr << "cinnabar: " << message << "\n'cinnabar --help' lists the commands.\n";
  return 2;
}

int no_such_command(const std::vector<std::string>& arguments) {
  if (print_family(arguments[0], std::cerr)) return 2;
  std::vector<std::string> names;
  for (const Command& command : commands()) names.emplace_back(command.name.substr(0, command.name.find(' ')));
  return wrong_usage("no command '" + arguments[0] + "'" + did_you_mean(arguments[0], names));
}

}  // namespace cinnabar::daemon
