// What `cinnabar --help` prints.
#include "daemon/commands/usage.h"

#include <catch2/catch.hpp>
#include <sstream>

#include "daemon/commands/commands.h"

using namespace cinnabar::daemon;

TEST_CASE("the list of commands says one whole sentence of each, in lines that a terminal shows") {
  std::ostringstream out;
  print_overview(out);
  std::string all;  // lines that go on joined
  std::istringstream lines(out.str());
  for (std::string line; std::getline(lines, line);) {
    INFO(line);
    CHECK(line.size() <= 120);
    const std::size_t begin = line.find_first_not_of(' ');
    all += begin != std::string::npos && begin > 2 ? " " + line.substr(begin) : "\n" + line;
  }
  for (const Command& command : commands()) {
    INFO(command.name);
    std::string help(command.help);
    std::replace(help.begin(), help.end(), '\n', ' ');
    const std::size_t name = all.find("\n  " + std::string(command.name) + " " + std::string(command.arguments));
    REQUIRE(name != std::string::npos);
    const std::string said = all.substr(name + 1, all.find('\n', name + 1) - name - 1);
    CHECK(said.back() == '.');
    const std::string sentence = said.substr(said.find(help.substr(0, 12)));
    CHECK(help.starts_with(sentence));
  }
}
