// Every refactoring at the statements, functions and expressions of 200 functions a language and more, in files of packages
// that no rule was written for: what the unit test of refactorings checks of a sample, and what it costs to find out.
#include <catch2/catch.hpp>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/support/refactoring_check.h"

namespace cinnabar::daemon {
namespace {

struct Tally {
  int functions = 0, places = 0;
  int refused =
      0;  // by the critic, in files that the grammar does not read without errors: recovery goes where it will
  std::map<std::string, int> made;
};

std::size_t functions_in(const syntax::Tree& tree) {
  std::size_t count = 0;
  syntax::each_node(tree.root(), 0, tree.text().size(), [&](TSNode node) {
    count += ts_node_is_named(node) && syntax::is_function_kind(syntax::kind_of(node)) ? 1 : 0;
    return true;
  });
  return count;
}

constexpr const char* kRefused = "the file would parse worse with the model's answer";

void look_at(const std::string& name, const std::string& path, const std::string& text, Tally& tally) {
  const tests::ParsedText parsed(*syntax::find_language(name), text);
  if (!parsed.tree) return;
  tally.functions += static_cast<int>(functions_in(*parsed.tree));
  tests::SeenEdits seen;
  for (const syntax::Span& selection : tests::selections_in(*parsed.tree, 4'000, 4, 1)) {
    ++tally.places;
    for (const Refactoring& refactoring : refactorings()) {
      std::optional<std::string> after;
      const std::string fault = tests::fault_of(refactoring, parsed, selection, seen, after);
      tally.made[std::string(refactoring.id)] += after ? 1 : 0;
      if (fault == kRefused && parsed.errors() > 0)
        ++tally.refused;
      else if (!fault.empty())
        FAIL_CHECK(refactoring.id << ": " << fault << " at byte " << selection.begin << " of " << path << "\n"
                                  << text.substr(selection.begin, selection.end - selection.begin));
    }
  }
}

TEST_CASE("of all that is offered in held-out files nothing parses worse, and nothing else is touched") {
  std::map<std::string, Tally> tallies;
  std::ifstream file(CINNABAR_SOURCE_DIR "/tests/holes/held_out_files.jsonl");
  for (std::string line; std::getline(file, line);) {
    const auto one = nlohmann::json::parse(line);
    const auto name = one.at("language").get<std::string>();
    look_at(name, one.at("path").get<std::string>(), one.at("text").get<std::string>(), tallies[name]);
  }
  // C is in these alone, and of TypeScript the files above have too few functions.
  std::set<std::string> seen;
  for (const char* holes : {"single_line.jsonl", "multi_line.jsonl"}) {
    std::ifstream cut(std::string(CINNABAR_SOURCE_DIR "/tests/holes/") + holes);
    for (std::string line; std::getline(cut, line);) {
      const auto one = nlohmann::json::parse(line);
      const auto name = one.at("language").get<std::string>();
      const std::string text = one.at("prefix").get<std::string>() + one.at("middle").get<std::string>() +
                               one.at("suffix").get<std::string>();
      if ((name == "c" || name == "typescript") && seen.insert(text).second)
        look_at(name, one.at("id").get<std::string>(), text, tallies[name]);
    }
  }
  for (const auto& [name, tally] : tallies) {
    std::cout << name << ": " << tally.functions << " functions, " << tally.places << " places, " << tally.refused
              << " refused;";
    for (const auto& [id, count] : tally.made) std::cout << " " << id << " " << count;
    std::cout << "\n";
    CHECK(tally.functions >= (name == "c" ? 100 : 200));
    CHECK(tally.made.at("extractFunction") > 20);
  }
}

}  // namespace
}  // namespace cinnabar::daemon
