// What holds for a plan anywhere: holes cut at random from real code of every language.
#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <random>

#include "base/text.h"
#include "daemon/syntax/plan.h"
#include "daemon/syntax/plan_rules.h"
#include "tests/unit/daemon/syntax/plan_cases.h"

using namespace cinnabar;
namespace syntax = cinnabar::daemon::syntax;

namespace {

constexpr int kHolesPerFile = 5;

// Real code: the texts that tests/holes was cut from, and each language's own cases as one text.
std::multimap<std::string, std::string> samples() {
  std::multimap<std::string, std::string> found;
  for (const char* file : {"single_line", "multi_line"}) {
    std::ifstream in(std::string(CINNABAR_SOURCE_DIR) + "/tests/holes/" + file + ".jsonl");
    for (std::string line; std::getline(in, line);) {
      const auto hole = nlohmann::json::parse(line);
      const auto* language = syntax::find_language(hole["language"].get<std::string>());
      if (language == nullptr) continue;
      found.emplace(language->name, hole["prefix"].get<std::string>() + hole["middle"].get<std::string>() +
                                        hole["suffix"].get<std::string>());
    }
  }
  for (const auto& language : syntax::languages()) {
    std::string all;
    for (const auto& c :
         tests::read_cases(std::string(CINNABAR_SOURCE_DIR) + "/tests/plans/" + std::string(language.name) + ".txt"))
      all += c.source + "\n";
    found.emplace(language.name, all);
  }
  return found;
}

// What a hole may replace: nothing that was written to stay.
bool may_replace(const syntax::Language& language, const syntax::Hole& hole, std::string_view text) {
  const std::string_view bytes = text.substr(hole.begin, hole.end - hole.begin);
  if (is_blank(bytes)) return true;
  return hole.kind == syntax::HoleKind::stub && syntax::stub_in(language, text, {hole.begin, hole.end}).has_value();
}

void check_plan(const syntax::Language& language, const std::string& text, std::size_t cursor) {
  const LineIndex lines(text);
  syntax::ParseLimits patient;
  patient.time = std::chrono::minutes(1);  // a busy machine
  const auto tree = syntax::Tree::parse(language, text, lines, patient);
  REQUIRE(tree);
  const auto plan = syntax::plan_at(*tree, cursor);
  INFO(language.name << " at " << cursor << "\n" << text.substr(cursor > 300 ? cursor - 300 : 0, 600));
  REQUIRE(plan.holes.size() == 1);
  const auto& hole = plan.holes.front();
  REQUIRE(hole.begin <= cursor);
  REQUIRE(cursor <= hole.end);
  REQUIRE(hole.end <= text.size());
  REQUIRE(may_replace(language, hole, text));
  REQUIRE(hole.max_lines >= 1);
  if (hole.closer_given) REQUIRE(text.find(hole.closer, hole.end) != std::string::npos);
  for (const auto& body : syntax::plan_function(*tree, cursor).holes) REQUIRE(may_replace(language, body, text));
  std::size_t before = 0;
  for (const auto& one : syntax::plan_selection(*tree, cursor / 2, text.size()).holes) {
    REQUIRE(one.begin >= before);
    REQUIRE(one.end >= one.begin);
    REQUIRE((one.kind == syntax::HoleKind::mark ? syntax::is_mark(text.substr(one.begin))
                                                : may_replace(language, one, text)));
    before = one.end;
  }
}

}  // namespace

TEST_CASE("a plan contains the cursor and replaces nothing that was written to stay, wherever text is missing") {
  std::mt19937 random(7);
  std::size_t languages = 0;
  std::string last;
  for (const auto& [name, text] : samples()) {
    if (name != last) ++languages;
    last = name;
    const auto& language = *syntax::find_language(name);
    for (int i = 0; i < kHolesPerFile; ++i) {
      const std::size_t begin = random() % (text.size() + 1);
      const std::size_t length =
          std::min<std::size_t>(random() % 3 == 0 ? random() % 400 : random() % 40, text.size() - begin);
      check_plan(language, text.substr(0, begin) + text.substr(begin + length), begin);
      check_plan(language, text.substr(0, begin), begin);  // a file that ends at the cursor
    }
  }
  CHECK(languages == syntax::languages().size());
}

TEST_CASE("a plan of bytes that are no text of the language") {
  std::mt19937 random(11);
  for (const auto& language : syntax::languages()) {
    std::string text;
    for (int i = 0; i < 2000; ++i)
      text += static_cast<char>(random() % 4 == 0 ? "{}()[]\n\"'#/"[random() % 11] : random() % 256);
    for (int i = 0; i < 20; ++i) check_plan(language, text, random() % text.size());
  }
}

TEST_CASE("a million brackets do not overflow the stack") {
  for (const char* name : {"cpp", "python", "json", "javascript"}) {
    const std::string text = std::string(9'000, '[') + "\n" + std::string(9'000, '(') + "\n" + std::string(9'000, '{');
    const LineIndex lines(text);
    const auto tree = syntax::Tree::parse(*syntax::find_language(name), text, lines);
    if (!tree) continue;  // out of time is an answer too
    CHECK_NOTHROW(syntax::plan_at(*tree, text.size()));
    CHECK_NOTHROW(syntax::plan_at(*tree, 5'000));
    CHECK_NOTHROW(syntax::plan_selection(*tree, 0, text.size()));
    CHECK(syntax::damage_of(*tree).count() > 0);
  }
}
