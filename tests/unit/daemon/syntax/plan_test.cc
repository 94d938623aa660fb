// Plans from annotated text: every row of every file under tests/plans.
#include "daemon/syntax/plan.h"

#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "base/text.h"
#include "tests/unit/daemon/syntax/plan_cases.h"

using namespace cinnabar;
using namespace cinnabar::tests;
namespace syntax = cinnabar::daemon::syntax;

TEST_CASE("a plan is what the annotated text says") {
  for (const syntax::Language& language : syntax::languages()) {
    const auto cases =
        read_cases(std::string(CINNABAR_SOURCE_DIR) + "/tests/plans/" + std::string(language.name) + ".txt");
    REQUIRE(cases.size() >= 10);
    for (const PlanCase& c : cases) {
      INFO(language.name << ": " << c.title);
      const LineIndex lines(c.source);
      const auto tree = syntax::Tree::parse(language, c.source, lines);
      REQUIRE(tree);
      const auto plan = plan_of(c, *tree);
      CHECK(annotate(c, plan) == c.annotated);
      CHECK(outline(plan, c.source) == c.expected);
    }
  }
}

TEST_CASE("without a tree a plan is the line") {
  const std::string text = "first line\nsecond line\n";
  const auto end = syntax::plan_at(text, 10), middle = syntax::plan_at(text, 5), beyond = syntax::plan_at(text, 1000);
  CHECK(syntax::describe(end, text) == "line 1:11-1:11 until=line indent=0 lines=1\n");
  CHECK(syntax::describe(middle, text) == "middle 1:6-1:6 until=line indent=0 lines=1\n");
  CHECK(syntax::describe(beyond, text) == "line 3:1-3:1 until=line indent=0 lines=1\n");
  CHECK(end.language == nullptr);
}

TEST_CASE("comments and strings can be left alone") {
  const std::string text = "x = 'ab'  # cd\n";
  const LineIndex lines(text);
  const auto tree = syntax::Tree::parse(*syntax::find_language("python"), text, lines);
  REQUIRE(tree);
  CHECK_FALSE(syntax::plan_at(*tree, 6).empty());
  CHECK_FALSE(syntax::plan_at(*tree, 13).empty());
  syntax::PlanOptions options;
  options.in_strings = options.in_comments = false;
  CHECK(syntax::plan_at(*tree, 6, options).empty());
  CHECK(syntax::plan_at(*tree, 13, options).empty());
}

TEST_CASE("carriage returns are part of the line's end") {
  const std::string text = "def f():\r\n    \r\nx = 1\r\n";
  const LineIndex lines(text);
  const auto tree = syntax::Tree::parse(*syntax::find_language("python"), text, lines);
  REQUIRE(tree);
  const auto plan = syntax::plan_at(*tree, 14);
  CHECK(syntax::describe(plan, text) == "body 2:5-2:5 until=block indent=0 lines=32\n");
  CHECK_FALSE(syntax::plan_at(*tree, 15).empty());  // between \r and \n
}
