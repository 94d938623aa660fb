// Extracted functions and variables, and new names, run: what passed its tests passes them still, in the six languages
// whose tests can be run, at every statement and expression. Where a toolchain is missing its language is left out, said so.
#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "daemon/commands/evaluation/run_tests.h"
#include "tests/support/refactoring_check.h"

namespace cinnabar::daemon {
namespace {

using evaluation::TestOutcome;

constexpr const char* kMoving[] = {"extractFunction", "extractVariable", "betterName"};

// What the refactorings make of a text, at each place in [begin, end).
std::vector<std::string> made_of(const syntax::Language& language, const std::string& text, std::size_t begin,
                                 std::size_t end) {
  std::vector<std::string> all;
  const tests::ParsedText parsed(language, text);
  tests::SeenEdits seen;
  for (const syntax::Span& selection : tests::selections_in(*parsed.tree, 4'000, 4, 1)) {
    if (selection.begin < begin || selection.end > end) continue;
    for (const char* id : kMoving) {
      std::optional<std::string> after;
      const std::string fault = tests::fault_of(*find_refactoring(id), parsed, selection, seen, after);
      if (!fault.empty()) FAIL_CHECK(id << ": " << fault << " at " << text.substr(selection.begin, 200));
      if (after) all.push_back(*after);
    }
  }
  return all;
}

TEST_CASE("in six languages a program passes its tests behind every extraction") {
  std::map<std::string, std::pair<int, int>> counts;  // programs, not run
  std::ifstream file(CINNABAR_SOURCE_DIR "/tests/edits/six_languages.jsonl");
  for (std::string line; std::getline(file, line);) {
    const auto task = nlohmann::json::parse(line);
    const auto text = [&](const char* name) { return task.value(name, std::string()); };
    const std::string language = text("language"), before = text("before"), fixed = text("fixed"),
                      closing = text("after");
    auto& [run, not_run] = counts[language];
    const auto original = evaluation::run_tests(language, {before + fixed, text("test"), closing});
    CHECK(*original != TestOutcome::fails);
    for (const std::string& made : made_of(*syntax::find_language(language), before + fixed + closing, before.size(),
                                           before.size() + fixed.size())) {
      REQUIRE(made.ends_with(closing));
      const std::string code = made.substr(0, made.size() - closing.size());
      const auto verdict = evaluation::run_tests(language, {code, text("test"), closing});
      (*verdict == TestOutcome::not_run ? not_run : run) += 1;
      if (*verdict == TestOutcome::fails) FAIL_CHECK(text("id") << " fails behind\n" << code);
    }
  }
  for (const auto& [language, count] : counts) {
    std::cout << language << ": " << count.first << " programs run, " << count.second << " not run\n";
    CHECK(count.first + count.second > 10);
  }
}

TEST_CASE("functions of packages pass the examples of their documentation behind every extraction") {
  nlohmann::json asked = nlohmann::json::array();
  std::set<std::string> seen;
  std::ifstream file(CINNABAR_SOURCE_DIR "/tests/holes/tested_lines.jsonl");
  for (std::string line; std::getline(file, line);) {
    const auto hole = nlohmann::json::parse(line);
    const std::string text = hole.at("prefix").get<std::string>() + hole.at("middle").get<std::string>() +
                             hole.at("suffix").get<std::string>();
    if (!seen.insert(text).second) continue;
    auto texts = made_of(*syntax::find_language("python"), text, 0, text.size());
    texts.insert(texts.begin(), text);
    asked.push_back({hole.at("imports"), hole.at("function"), texts});
  }
  REQUIRE(asked.size() > 90);
  const std::string path = CINNABAR_BINARY_DIR "/examples.json";
  std::ofstream(path) << asked.dump();
  std::FILE* python =
      ::popen(("python3 " CINNABAR_SOURCE_DIR "/tests/edits/run_examples.py < " + path + " 2>&1").c_str(), "r");
  REQUIRE(python != nullptr);
  std::string said;
  std::array<char, 4096> buffer{};
  for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), python)) > 0;) said.append(buffer.data(), n);
  INFO(said);
  CHECK(::pclose(python) == 0);
  std::cout << said.substr(said.rfind('\n', said.size() - 2) + 1);
}

}  // namespace
}  // namespace cinnabar::daemon
