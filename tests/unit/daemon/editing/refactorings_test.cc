// Refactorings by tables of texts before and after (tests/edits/refactorings), with a scripted model; and by properties
// over real code: nothing that is offered parses worse, and an extracted function does what its statements did.
#include "daemon/editing/refactorings.h"

#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/refactoring_check.h"

namespace cinnabar::daemon {
namespace {

using syntax::Span;
using tests::made_with;
using tests::ParsedText;

const std::string kFolder = CINNABAR_SOURCE_DIR "/tests/edits/";

struct RefactoringCase {
  std::string id, what;
  std::vector<std::string> words;
  std::string before, after;
  Span selection;
};

std::vector<std::string> split(const std::string& text, const std::string& by) {
  std::vector<std::string> parts;
  for (std::size_t at = 0;;) {
    const std::size_t end = text.find(by, at);
    parts.push_back(text.substr(at, end - at));
    if (end == std::string::npos) return parts;
    at = end + by.size();
  }
}

std::string read(const std::string& path) {
  std::ifstream file(path);
  REQUIRE(file);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

RefactoringCase parse_case(const std::string& text) {
  RefactoringCase one;
  const std::size_t head = text.find('\n'), arrow = text.find("==>\n");
  REQUIRE(arrow != std::string::npos);
  const auto words = split(text.substr(0, head), " | ");
  one.id = words[0].substr(0, words[0].find(':'));
  one.what = words[0].substr(words[0].find(':') + 2);
  one.words.assign(words.begin() + 1, words.end());
  one.before = text.substr(head + 1, arrow - head - 1);
  one.after = text.substr(arrow + 4);
  one.selection.begin = one.before.find("«");
  one.before.erase(one.selection.begin, 2);
  one.selection.end = one.before.find("»");
  one.before.erase(one.selection.end, 2);
  return one;
}

std::string with_carriage_returns(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '\n' ? std::string("\r\n") : std::string(1, c);
  return out;
}

// The same case in a file whose lines end so.
RefactoringCase with_carriage_returns(RefactoringCase one) {
  for (std::size_t* at : {&one.selection.begin, &one.selection.end})
    *at = with_carriage_returns(one.before.substr(0, *at)).size();
  one.before = with_carriage_returns(one.before);
  one.after = with_carriage_returns(one.after);
  return one;
}

void check(const char* name, const RefactoringCase& one) {
  INFO(name << ": " << one.id << ": " << one.what);
  const ParsedText parsed(*syntax::find_language(name), one.before);
  const Refactoring* refactoring = find_refactoring(one.id);
  REQUIRE(refactoring != nullptr);
  auto plan = refactoring->plan(*parsed.tree, one.selection);
  if (!plan) {
    CHECK(stripped(one.after) == "(not offered)");
    return;
  }
  SlotEdit edit(parsed.language, one.before, *plan, {});
  const auto made = made_with(edit, one.before, one.words);
  if (made)
    CHECK(*made == one.after);
  else
    CHECK("refused: " + made.message() == stripped(one.after));
}

TEST_CASE("tables of texts before and after") {
  for (const char* name : {"python", "typescript", "javascript", "java", "go", "rust", "cpp", "c"}) {
    const auto parts = split(read(kFolder + "refactorings/" + name + ".txt"), "---\n");
    REQUIRE(parts.size() > 3);
    for (std::size_t i = 1; i < parts.size(); ++i) {
      const RefactoringCase one = parse_case(parts[i]);
      check(name, one);
      check(name, with_carriage_returns(one));
    }
  }
}

TEST_CASE("what the model is asked, place by place") {
  const std::string text = "def f(a, b):\n    return g(a * b)\n";
  const ParsedText parsed(*syntax::find_language("python"), text);
  const std::size_t begin = text.find("a * b");
  auto plan = plan_variable(*parsed.tree, {begin, begin + 5});
  REQUIRE(plan);
  SlotEdit edit(parsed.language, text, *plan, {});
  REQUIRE(edit.request() != nullptr);
  CHECK(edit.request()->prefix == "def f(a, b):\n    ");
  CHECK(edit.request()->suffix == " = a * b\n");  // the next line would have to name it
  CHECK(edit.request()->other_end("product = 1") == std::size_t{7});
  CHECK(edit.tally().steps == 1);
  edit.failed(Status::error("no model"));
  CHECK(edit.request() == nullptr);
  CHECK(edit.changes().status().message() == "no model");
}

// The texts of tests/holes: files of eight languages, from many packages.
std::vector<std::pair<const syntax::Language*, std::string>> real_texts() {
  std::vector<std::pair<const syntax::Language*, std::string>> texts;
  for (const char* name : {"single_line.jsonl", "multi_line.jsonl"}) {
    std::ifstream file(std::string(CINNABAR_SOURCE_DIR "/tests/holes/") + name);
    for (std::string line; std::getline(file, line);) {
      const auto hole = nlohmann::json::parse(line);
      texts.emplace_back(syntax::find_language(hole.at("language").get<std::string>()),
                         hole.at("prefix").get<std::string>() + hole.at("middle").get<std::string>() +
                             hole.at("suffix").get<std::string>());
    }
  }
  return texts;
}

TEST_CASE("of all that is offered in real code nothing parses worse, and nothing else is touched") {
  std::map<std::string, int> made;
  for (const auto& [language, text] : real_texts()) {
    const ParsedText parsed(*language, text);
    if (!parsed.tree) continue;
    tests::SeenEdits seen;
    for (const Span& selection : tests::selections_in(*parsed.tree, 120, 2, 3)) {
      for (const Refactoring& refactoring : refactorings()) {
        std::optional<std::string> after;
        const std::string fault = tests::fault_of(refactoring, parsed, selection, seen, after);
        if (!fault.empty())
          FAIL_CHECK(refactoring.id << ": " << fault << "\n" << after.value_or(text.substr(selection.begin, 400)));
        made[std::string(refactoring.id)] += after ? 1 : 0;
      }
    }
  }
  CHECK(made["document"] > 100);
  CHECK(made["extractVariable"] > 100);
  CHECK(made["extractFunction"] > 100);
  CHECK(made["betterName"] > 50);
}

// The functions of tests/edits that have assertions, as they are right, and whole files to run for each.
TEST_CASE("an extracted function does what its statements did") {
  std::vector<std::string> programs;
  for (const char* name : {"bug_fixes.jsonl", "rewrites.jsonl"}) {
    std::ifstream file(kFolder + name);
    for (std::string line; std::getline(file, line);) {
      const auto task = nlohmann::json::parse(line);
      if (!task.contains("fixed")) continue;
      const std::string text = task.at("fixed").get<std::string>();
      const ParsedText parsed(*syntax::find_language("python"), text);
      for (const Span& selection : tests::selections_in(*parsed.tree, 120, 2, 3)) {
        for (const char* id : {"extractFunction", "extractVariable"}) {
          auto plan = find_refactoring(id)->plan(*parsed.tree, selection);
          if (!plan) continue;
          SlotEdit edit(parsed.language, text, *plan, {});
          const auto after = made_with(edit, text, {"chosen_name"});
          if (after) programs.push_back(*after + task.at("test").get<std::string>() + "\n");
        }
      }
    }
  }
  REQUIRE(programs.size() > 60);
  const std::string runner =
      "import json, sys\nfor program in json.load(sys.stdin):\n    try:\n        exec(program, {})\n"
      "    except BaseException as wrong:\n        sys.exit(f'{wrong!r} in\\n{program}')\n";
  const std::string path = CINNABAR_BINARY_DIR "/extracted.json";
  std::ofstream(path) << nlohmann::json(programs).dump();
  std::ofstream(path + ".py") << runner;
  std::FILE* python = ::popen(("python3 -I " + path + ".py < " + path + " 2>&1").c_str(), "r");
  REQUIRE(python != nullptr);
  std::string said;
  std::array<char, 4096> buffer{};
  for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), python)) > 0;) said.append(buffer.data(), n);
  CHECK(::pclose(python) == 0);
  CHECK(said == "");
}

}  // namespace
}  // namespace cinnabar::daemon
