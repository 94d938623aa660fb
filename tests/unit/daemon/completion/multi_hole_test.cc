// Several holes filled in turn: what each of them sees, and what comes of it.
#include "daemon/completion/multi_hole.h"

#include <catch2/catch.hpp>

#include "daemon/commands/unified_diff.h"

namespace cinnabar::daemon {
namespace {

const std::string kSource =
    "def one():\n    pass\n\n\ndef two():\n    # TODO: say two\n    x = 1\n\n\ndef three():\n    ...\n";

engine::InfillResult result(const std::string& text, engine::StopReason reason = engine::StopReason::hole_end) {
  engine::InfillResult out;
  out.answers.push_back({text, reason, 1});
  return out;
}

struct Filled {
  explicit Filled(std::string source, const MultiHoleOptions& options = {}, const char* language = "python")
      : text(std::move(source)), lines(text) {
    const auto& known = *syntax::find_language(language);
    const auto tree = syntax::Tree::parse(known, text, lines);
    REQUIRE(tree);
    filling.emplace(known, text, syntax::plan_selection(*tree, 0, text.size()).holes, engine::InfillRequest(), options);
  }
  // Answers every request with what `model` makes of it; returns the prefixes and suffixes that were asked.
  std::vector<std::string> fill(const std::function<std::string(const engine::InfillRequest&)>& model) {
    std::vector<std::string> asked;
    while (!filling->done()) {
      const engine::InfillRequest request = filling->request();
      asked.push_back(request.prefix + "|" + request.suffix);
      filling->take(result(model(request)));
      REQUIRE(asked.size() <= 4 * filling->holes());
    }
    return asked;
  }
  // The changes, applied by hand.
  std::string applied() const {
    std::string out = text;
    const auto changes = filling->changes();
    for (std::size_t i = changes.size(); i-- > 0;)
      out.replace(changes[i].begin, changes[i].end - changes[i].begin, changes[i].text);
    return out;
  }
  std::string text;
  LineIndex lines;
  std::optional<MultiHoleFill> filling;
};

TEST_CASE("a model that sees both sides fills holes near each other in one request") {
  MultiHoleOptions options;
  options.together = true;
  Filled filled(kSource, options);
  REQUIRE(filled.filling->holes() == 3);
  const engine::InfillRequest request = filled.filling->request();
  REQUIRE(request.next.size() == 2);
  CHECK(request.prefix == "def one():\n    ");
  CHECK(request.next[0].between == "\n\n\ndef two():\n    # TODO: say two\n    ");
  CHECK(request.next[1].between == "\n    x = 1\n\n\ndef three():\n    ");
  CHECK(request.suffix == "\n");
  CHECK(request.next[0].other_end);
  auto answers = result("return 1");
  for (const char* text : {"return 2", "return 3"}) answers.next.push_back({text, engine::StopReason::hole_end, 1});
  filled.filling->take(answers);
  CHECK(filled.filling->done());  // they have seen each other: none is asked for again
  CHECK(filled.filling->filled() == 3);
  CHECK(filled.applied() == filled.filling->text());
  CHECK(filled.applied() ==
        "def one():\n    return 1\n\n\ndef two():\n    # say two\n    return 2\n    x = 1\n\n\ndef three():\n    "
        "return 3\n");
}

TEST_CASE("of holes filled together, what does not parse is asked for once more alone, beside the others") {
  MultiHoleOptions options;
  options.together = true;
  Filled filled(kSource, options);
  auto answers = result("return 1");
  for (const char* text : {"return )", "return 3"}) answers.next.push_back({text, engine::StopReason::hole_end, 1});
  filled.filling->take(answers);
  REQUIRE_FALSE(filled.filling->done());
  CHECK(filled.filling->seen() == 3);
  const engine::InfillRequest alone = filled.filling->request();
  CHECK(alone.next.empty());
  CHECK(alone.prefix.find("return 1") != std::string::npos);
  CHECK(alone.suffix.find("return 3") != std::string::npos);
  filled.filling->take(result("return 2"));
  CHECK(filled.filling->filled() == 3);
  // The others have not seen that answer yet.
  const auto asked = filled.fill([](const engine::InfillRequest&) { return "return 4"; });
  REQUIRE(asked.size() == 2);
  CHECK(asked[0].find("return 2") != std::string::npos);
}

TEST_CASE("holes that are too far apart are filled in requests of their own") {
  MultiHoleOptions options;
  options.together = true;
  options.near = 40;
  Filled filled(kSource, options);
  CHECK(filled.filling->request().next.size() == 1);
  auto answers = result("return 1");
  answers.next.push_back({"return 2", engine::StopReason::hole_end, 1});
  filled.filling->take(answers);
  CHECK(filled.filling->request().next.empty());
  CHECK(filled.filling->request().prefix.find("return 2") != std::string::npos);
}

TEST_CASE("each hole sees the present text of the others, and its changed neighbourhood once more") {
  Filled filled(kSource);
  REQUIRE(filled.filling->holes() == 3);
  int turn = 0;
  const auto asked = filled.fill([&](const auto&) { return "return " + std::to_string(++turn); });
  REQUIRE(asked.size() == 6);
  CHECK(asked[0].find("def one():\n    |") != std::string::npos);
  CHECK(asked[0].find("    ...") != std::string::npos);
  CHECK(asked[1].find("return 1") != std::string::npos);
  CHECK(asked[1].find("# TODO: say two\n    |") != std::string::npos);
  CHECK(asked[2].find("return 2\n    x = 1") != std::string::npos);
  CHECK(asked[3].find("def one():\n    |") != std::string::npos);
  CHECK(asked[3].find("return 3") != std::string::npos);
  CHECK(asked[3].find("return 1") == std::string::npos);  // its own first answer is a draft, not a given text
  CHECK(asked[5].find("return 5") != std::string::npos);
  CHECK(filled.filling->text() ==
        "def one():\n    return 4\n\n\ndef two():\n    # say two\n    return 5\n    x = 1\n\n\ndef three():\n    "
        "return 6\n");
  CHECK(filled.applied() == filled.filling->text());
  CHECK(filled.filling->filled() == 3);
}

TEST_CASE("the second time the first answer is a draft; the same answer again ends it") {
  Filled filled(kSource);
  std::vector<std::string> drafts;
  filled.fill([&](const engine::InfillRequest& request) {
    drafts.push_back(request.former);
    return "return 0";
  });
  CHECK(drafts == std::vector<std::string>{"", "", "", "return 0", "return 0"});
}

TEST_CASE("a change too far away to be seen asks nothing again") {
  Filled filled(kSource, {.near = 1});
  CHECK(filled.fill([](const auto&) { return "return 0"; }).size() == 3);
}

TEST_CASE("what a note asks for stays beside what was written for it") {
  struct Case {
    const char* what;
    const char* language;
    const char* source;
    const char* answer;
    const char* filled;
  };
  const Case cases[] = {
      {"among statements", "python", "def f(a):\n    # TODO: sort a\n    return a\n", "a.sort()",
       "def f(a):\n    # sort a\n    a.sort()\n    return a\n"},
      {"with nothing stated", "python", "def f(a):\n    # TODO\n    return a\n", "a.sort()",
       "def f(a):\n    a.sort()\n    return a\n"},
      {"a body", "c", "int f(int a) {\n  // TODO: count the bits of a\n}\n", "return popcount(a);",
       "int f(int a) {\n  // count the bits of a\n  return popcount(a);\n}\n"},
      {"several lines", "javascript", "function f(a) {\n  // TODO(me): sort a,\n  // the least first\n}\n", "a.sort();",
       "function f(a) {\n  // sort a,\n  // the least first\n  a.sort();\n}\n"},
      {"a comment with two ends", "java", "class A {\n  int f(int a) {\n    /* FIXME - half of a */\n  }\n}\n",
       "return a / 2;", "class A {\n  int f(int a) {\n    /* half of a */\n    return a / 2;\n  }\n}\n"},
      {"a comment with two ends and nothing stated", "c", "int f(int a) {\n  /* TODO */\n}\n", "return a;",
       "int f(int a) {\n  return a;\n}\n"},
      {"carriage returns", "python", "def f(a):\r\n    # TODO: sort a\r\n    return a\r\n", "a.sort()",
       "def f(a):\r\n    # sort a\r\n    a.sort()\r\n    return a\r\n"},
      {"a language of words", "lua", "local function f(a)\n  -- TODO: double a\nend\n", "return 2 * a",
       "local function f(a)\n  -- double a\n  return 2 * a\nend\n"},
  };
  for (const Case& c : cases) {
    INFO(c.what);
    Filled filled(c.source, {}, c.language);
    REQUIRE(filled.filling->holes() == 1);
    filled.fill([&](const auto&) { return c.answer; });
    CHECK(filled.applied() == c.filled);
    CHECK(filled.filling->text() == c.filled);
  }
}

TEST_CASE("holes without an answer that fits stay as they are") {
  struct Case {
    const char* what;
    const char* answer;
  };
  for (const Case& c : {Case{"nothing", ""}, {"blanks", "  \n "}, {"what does not parse", "return )"}}) {
    INFO(c.what);
    Filled filled(kSource);
    int turn = 0;
    filled.fill([&](const auto&) { return ++turn == 2 ? std::string("return 2") : c.answer; });
    CHECK(filled.filling->changes().size() == 1);
    CHECK(filled.applied() == filled.filling->text());
    CHECK(filled.filling->text().find("pass") != std::string::npos);
    CHECK(filled.filling->text().find("TODO") == std::string::npos);
  }
}

TEST_CASE("a second answer that does not fit leaves the first") {
  Filled filled(kSource);
  int turn = 0;
  filled.fill([&](const auto&) { return ++turn <= 3 ? std::string("return 1") : std::string("return )"); });
  CHECK(filled.filling->filled() == 3);
  CHECK(filled.filling->text().find(')' + std::string("\n    x")) == std::string::npos);
  CHECK(filled.applied() == filled.filling->text());
}

TEST_CASE("skipped, and answers of nothing, go on to the next") {
  Filled filled(kSource);
  filled.filling->skip();
  filled.filling->take({});
  REQUIRE_FALSE(filled.filling->done());
  filled.filling->take(result("return 3"));
  while (!filled.filling->done()) filled.filling->skip();
  filled.filling->skip();
  filled.filling->take(result("late"));
  CHECK(filled.filling->filled() == 1);
  CHECK(filled.filling->seen() == 3);
}

TEST_CASE("a text with nothing to fill is done") {
  Filled filled("x = 1\n");
  CHECK(filled.filling->done());
  CHECK(filled.filling->changes().empty());
}

TEST_CASE("changes as a diff") {
  struct Case {
    const char* before;
    std::vector<MultiHoleFill::Change> changes;
    const char* diff;
  };
  const Case cases[] = {
      {"a\n", {}, ""},
      {"a\nb\nc\n", {{2, 3, "B"}}, "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"},
      {"a {\n}\n", {{3, 3, "\n  b"}}, "@@ -1,2 +1,3 @@\n a {\n+  b\n }\n"},
      {"a\nb",
       {{2, 3, "B"}},
       "@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+B\n\\ No newline at end of file\n"},
      {"a b\n", {{0, 1, "x"}, {2, 3, "y"}}, "@@ -1,1 +1,1 @@\n-a b\n+x y\n"},
      {"1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n",
       {{0, 1, "one\nmore"}, {24, 26, "twelve"}},
       "@@ -1,4 +1,5 @@\n-1\n+one\n+more\n 2\n 3\n 4\n@@ -9,4 +10,4 @@\n 9\n 10\n 11\n-12\n+twelve\n"},
      {"1\n2\n3\n", {{0, 1, "x"}, {4, 5, "y"}}, "@@ -1,3 +1,3 @@\n-1\n+x\n 2\n-3\n+y\n"},
  };
  for (const Case& c : cases) {
    const std::string head = *c.diff == '\0' ? "" : "--- f\n+++ f\n";
    CHECK(unified_diff("f", c.before, c.changes) == head + c.diff);
  }
}

}  // namespace
}  // namespace cinnabar::daemon
