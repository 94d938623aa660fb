#include "daemon/commands/evaluation/score.h"

#include <catch2/catch.hpp>

namespace cinnabar::daemon::evaluation {
namespace {

CutHole hole(std::string prefix, std::string middle, std::string suffix) {
  return {"x", "line", "javascript", std::move(prefix), std::move(middle), std::move(suffix)};
}

GivenAnswer answer(std::string text, std::optional<bool> goes_on = {}) {
  return {"verified", text, text, 2, 4, 10, goes_on, {}};
}

TEST_CASE("edit distance") {
  struct Case {
    const char *a, *b;
    std::size_t distance;
  };
  for (const auto& c : {Case{"kitten", "sitting", 3}, Case{"", "ab", 2}, Case{"ab", "", 2}, Case{"abc", "abc", 0},
                        Case{"abcd", "acbd", 2}, Case{"aa", "aaa", 1}, Case{"xabcy", "xcy", 2}})
    CHECK(edit_distance(c.a, c.b) == c.distance);
}

TEST_CASE("nodes that do not parse are counted in the whole text") {
  struct Case {
    const char *language, *text;
    bool wrong;
  };
  for (const auto& c :
       {Case{"python", "x = f(1)\n", false}, Case{"python", "x = f(1))\n", true}, Case{"javascript", "f(a;\n", true}}) {
    INFO(c.text);
    const auto found = wrong_nodes(*syntax::find_language(c.language), c.text);
    REQUIRE(found);
    CHECK((found->errors + found->missing > 0) == c.wrong);
  }
}

TEST_CASE("what an answer does to its file") {
  const CutHole call = hole("f(", "a", ");\n");
  const Measures right = score(call, answer("a\n")).text;
  CHECK(right.shown);
  CHECK(right.exact);
  CHECK(right.similar == 1);
  CHECK(right.parses);
  CHECK_FALSE(right.adds);
  CHECK_FALSE(right.doubled);
  const Measures twice = score(call, answer("a)")).text;
  CHECK_FALSE(twice.exact);
  CHECK(twice.similar == 0.5);
  CHECK_FALSE(twice.parses);
  CHECK(twice.adds);
  CHECK(twice.doubled);
  CHECK(score(call, answer("g(a))")).text.doubled);
  CHECK_FALSE(score(call, answer("g(a)")).text.doubled);
  CHECK_FALSE(score(call, answer("a]")).text.doubled);
  CHECK_FALSE(score(call, answer(" \n")).text.shown);
}

TEST_CASE("where an answer ends") {
  const CutHole line = hole("x = ", "f(1);", "\n");
  struct Case {
    const char* text;
    std::optional<bool> goes_on, ends;
  };
  for (const auto& c : {Case{"f(1);", {}, true}, Case{"f(1);\ng();", {}, false}, Case{"h(1);", {}, {}},
                        Case{"f(", {}, {}}, Case{"f(", true, false}, Case{"f(", false, {}}, Case{"", true, false}}) {
    INFO(c.text);
    CHECK(score(line, answer(c.text, c.goes_on)).text.ends == c.ends);
  }
}

TEST_CASE("a report") {
  const CutHole one = hole("x = ", "f(1);", "\n");
  CutHole other = hole("f(", "a", ");\n");
  other.language = "python";
  GivenAnswer cut{"verified", "a)", "", 3, 4, 30, {}, {{4, 2}, {2, 2}}};
  GivenAnswer right = answer("f(1);");
  right.drafts = {{4, 4}};
  const Scored scored[] = {score(one, right), score(other, cut)};
  const std::string text = report(scored);
  INFO(text);
  CHECK(text.starts_with("**verified**\n"));
  CHECK(text.find("| all | 2 | 50.0 | 50.0 | 50.0 | 100.0 | 0.0 | 0.0 | 100.0 | 1 |\n") != std::string::npos);
  CHECK(text.find("| all | 2 | 100.0 | 50.0 | 75.0 | 50.0 | 50.0 | 50.0 | 50.0 | 2 |\n") != std::string::npos);
  CHECK(text.find("| python | 1 | 0.0 | 0.0 | 0.0 | - | - | - | - | 0 |\n") != std::string::npos);
  CHECK(text.find("| all | 0.625 | 10 | 30 |\n") != std::string::npos);
  CHECK(text.find("| drafted | 8 | 2 |\n| accepted, % | 75.0 | 100.0 |\n") != std::string::npos);
  CHECK(report({}).empty());
}

}  // namespace
}  // namespace cinnabar::daemon::evaluation
