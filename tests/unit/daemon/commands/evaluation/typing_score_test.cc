#include "daemon/commands/evaluation/typing_score.h"

#include <catch2/catch.hpp>

#include "daemon/commands/evaluation/repaired.h"

namespace cinnabar::daemon::evaluation {
namespace {

TEST_CASE("an answer at a place is judged by its first line and its first words") {
  struct Case {
    const char *before, *behind, *next, *shown;
    Outcome outcome;
    int saved;
    const char* hole = nullptr;
  };
  for (const auto& c : {
           Case{"x = ", "\n", "f(a)\ny = 1", "f(a)", Outcome::exact, 3},
           Case{"x = ", "\n", "f(a)\ny = 1", "f(a)\nz = 2", Outcome::exact, 3},
           Case{"x = ", "", "total(a)", "total(b, c)", Outcome::beginning, 4},
           Case{"x = ", "", "total(a)", "total", Outcome::beginning, 4},
           Case{"x = ", "", "total(a)", "sum(a)", Outcome::wrong, 0},
           Case{"x = ", "", "total(a)", " total(a)", Outcome::wrong, 0},  // a blank too many
           Case{"f", "", "(a)", "(b)", Outcome::wrong, 0},                // a bracket alone says nothing
           Case{"x.fil", "", "ter(y)", "ter(z)", Outcome::beginning, 2},
           Case{"x.fil", "", "ter(y)", "tered(z)", Outcome::wrong, 0},
           Case{"    ", "", "return a", "return a  ", Outcome::exact, 7},
           Case{"def f():", "", "\n    return a", "\n    return a", Outcome::exact, 7},
           Case{"x = ", "", "f(a)", "", Outcome::nothing, 0},
           Case{"f(", ")", "a, b) + 1", "a, b", Outcome::exact, 3, "a, b"},  // what stands behind stays
           Case{"f(", ")", "a, b) + 1", "a", Outcome::beginning, 0, "a, b"},
           Case{"f(", ")", "a)", "a)", Outcome::beginning, 0, "a"},  // twice closed
           Case{"f(", ")", "a)", "a", Outcome::exact, 0, "a"},
       }) {
    TypingPlace place{"id", "kind", 0, c.next, {}};
    if (c.hole != nullptr) place.hole = c.hole;
    INFO(c.before << " | " << c.shown << " | " << c.next);
    const Judged judged = judge(place, {c.before, c.behind}, ShownText{c.shown});
    CHECK(judged.outcome == c.outcome);
    CHECK(judged.saved == c.saved);
  }
  CHECK(judge({"id", "kind", 0, "f(a)", {}}, {"x = ", ""}, std::nullopt).outcome == Outcome::nothing);
}

TEST_CASE("an item that covers what stands around the cursor is judged by what it changes") {
  const TypingPlace place{"id", "kind", 0, "ter(x)", {}};
  CHECK(judge(place, {"y.fil", "(x)"}, ShownText{"filter(x)", 3, 3}).outcome == Outcome::exact);
  CHECK(judge(place, {"y.fil", "(x)"}, ShownText{"ter", 0, 0}).outcome == Outcome::exact);
}

TEST_CASE("what is open at a cursor is closed from the inside out, but for what is closed behind it") {
  struct Case {
    const char *language, *before, *behind;
    std::vector<std::string> closers;
  };
  for (const auto& c : {
           Case{"javascript", "f(g([1", "", {"]", ")", ")"}},
           Case{"javascript", "f(() => { a(", ")\n});", {}},
           Case{"javascript", "f(\"a", "", {"\"", ")"}},
           Case{"javascript", "f(\"a", "\")", {}},
           Case{"python", "x = f(\"(\", '[', # (\n", "", {")"}},
           Case{"rust", "fn f<'a>(x: &'a str) { g('(', ", "", {")", "}"}},
           Case{"lua", "function f()\n  if a then\n    for i in b do", "", {"end", "end", "end"}},
           Case{"lua", "function f()\n  if a then", "\n  end\nend", {}},
           Case{"shellscript", "for f in *; do\n  if a; then\n    b", "\ndone", {"fi"}},
           Case{"ruby", "def f\n  while a do\n    return if b", "", {"end", "end"}},
       }) {
    INFO(c.before);
    const auto* language = syntax::find_language(c.language);
    REQUIRE(language != nullptr);
    CHECK(open_closers(*language, c.before, c.behind) == c.closers);
  }
}

TEST_CASE("an answer breaks a file if no way to go on makes it as whole as what its author wrote does") {
  struct Case {
    const char *language, *before, *behind, *next, *shown;
    bool breaks;
    const char* hole = nullptr;
  };
  for (const auto& c : {
           Case{"typescript", "const a = JSON.", "", "parse(b);", ".stringify(b);", true},
           Case{"typescript", "const a = JSON.", "", "parse(b);", "stringify(b);", false},
           Case{"typescript", "function f() {\n  return g(", ")\n}\n", "a);", "a)", true, "a"},
           Case{"typescript", "function f() {\n  ", "", "return 1;", "if (a) {", false},
           Case{"python", "def f(a):\n    ", "", "return a", "for b in a:", false},
           Case{"python", "def f(a):\n    ", "", "return a", "return a)", true},
           Case{"python", "x = f(", "", "a)", "\"b", false},  // its author closes the string
           Case{"go", "package a\n\nfunc f() {\n\t", "", "return", "x := g(", false},
       }) {
    INFO(c.before << " | " << c.shown);
    const TypingScript script{"s", "f", c.language, "", {}, {}};
    TypingPlace place{"id", "kind", 0, c.next, {}};
    if (c.hole != nullptr) place.hole = c.hole;
    CHECK(breaks(script, place, {c.before, c.behind}, ShownText{c.shown}) == c.breaks);
  }
  const TypingScript unknown{"s", "f", "cobol", "", {}, {}};
  CHECK_FALSE(breaks(unknown, {}, {"a", ""}, ShownText{"("}).has_value());
}

}  // namespace
}  // namespace cinnabar::daemon::evaluation
