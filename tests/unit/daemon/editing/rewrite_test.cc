// A region rewritten: what the model answers, and what is made of it.
#include "daemon/editing/rewrite.h"

#include <catch2/catch.hpp>

using namespace cinnabar;
using namespace cinnabar::daemon;

namespace {

const std::string kRegion = "def mean(values):\n    return sum(values) / len(values)\n";

RewriteTask task(std::string instruction = "Return 0 for an empty list.") {
  return {syntax::find_language("python"), "import math\n\n\n",    kRegion,
          "\n\nprint(mean([1]))\n",        std::move(instruction), {}};
}

engine::InfillResult answer(std::string text, std::vector<float> sure = {0.9f, 0.2f, 0.8f}) {
  engine::InfillAnswer one{std::move(text), engine::StopReason::hole_end, static_cast<int>(sure.size())};
  for (std::size_t i = 0; i < sure.size(); ++i) one.path.push_back({static_cast<std::int32_t>(i), sure[i], i + 1, 0});
  engine::InfillResult result;
  result.answers.push_back(std::move(one));
  return result;
}

}  // namespace

TEST_CASE("the head of a function stays, the region is the draft, and the answer becomes the region") {
  RewriteMachine rewrite(task(), {});
  REQUIRE(rewrite.request() != nullptr);
  CHECK(rewrite.request()->parts.back().text.ends_with("```python\ndef mean(values):\n"));
  CHECK(rewrite.request()->former == "    return sum(values) / len(values)\n```");
  CHECK(rewrite.request()->other_end("    return 1\n```\nThat is") == std::size_t{13});
  rewrite.take(answer("    return sum(values) / len(values) if values else 0\n"));
  CHECK(rewrite.request() == nullptr);
  REQUIRE(rewrite.result());
  CHECK(*rewrite.result() == "def mean(values):\n    return sum(values) / len(values) if values else 0\n");
}

TEST_CASE("an instruction about the signature lets the model write it") {
  RewriteMachine rewrite(task("Add type annotations."), {});
  CHECK(rewrite.request()->parts.back().text.ends_with("```python\n"));
  CHECK(rewrite.request()->former.starts_with("def mean"));
}

TEST_CASE(
    "where the text would stay, it is forbidden where the model doubted it, and the likelier by instruction wins") {
  RewriteMachine rewrite(task(), {.doubts = 2});
  rewrite.take(answer("    return sum(values) / len(values)\n"));
  REQUIRE(rewrite.request() != nullptr);
  CHECK(rewrite.request()->resume.tokens.size() == 1);  // the second token had 0.2
  CHECK(rewrite.request()->resume.forbidden == std::vector<std::int32_t>{1});
  rewrite.take(answer("    return 1\n", {0.5f}));
  REQUIRE(rewrite.request() != nullptr);
  CHECK(rewrite.request()->resume.tokens.size() == 2);
  rewrite.take(answer("    return 2\n", {0.4f}));
  REQUIRE(rewrite.request() != nullptr);  // how likely are they when nothing in particular is asked for?
  CHECK(rewrite.request()->scored == "    return 1\n");
  rewrite.take(answer("    return 1\n", {0.5f}));
  rewrite.take(answer("    return 2\n", {0.1f}));
  CHECK(rewrite.request() == nullptr);
  REQUIRE(rewrite.result());
  CHECK(*rewrite.result() == "def mean(values):\n    return 2\n");
}

TEST_CASE("what may not be taken is refused in one sentence") {
  struct Case {
    const char* text;
    const char* why;
  };
  const Case cases[] = {
      {"    return sum(values) / len(values)\n", "the model would leave it as it is"},
      {"    return (sum(values\n", "the file would parse worse with the model's answer"},
      {"    x = 1\n    x = 1\n    x = 1\n    x = 1\n", "the model's answer fell apart"},
  };
  for (const Case& c : cases) {
    RewriteMachine rewrite(task(), {.doubts = 1});
    rewrite.take(answer(c.text));
    REQUIRE(rewrite.request() != nullptr);
    rewrite.take(answer(c.text));
    CHECK(rewrite.request() == nullptr);
    CHECK(rewrite.result().message() == c.why);
  }
  RewriteMachine stopped(task(), {});
  auto late = answer("    return 1\n");
  late.answers[0].reason = engine::StopReason::deadline;
  stopped.take(late);
  CHECK(stopped.result().message() == "the model was not done in time");
  RewriteMachine failed(task(), {});
  failed.failed(Status::error("llama: the model has no token <|im_start|>"));
  CHECK(failed.result().message() == "llama: the model has no token <|im_start|>");
}

namespace {

// The lines between « and » are rewritten with one answer after the other, over and over: what becomes of the file.
std::string rewritten(const char* language, std::string marked, const std::string& instruction,
                      const std::string& text) {
  const std::size_t begin = marked.find("«"), end = marked.find("»");
  RewriteTask task{syntax::find_language(language),
                   marked.substr(0, begin),
                   marked.substr(begin + 2, end - begin - 2),
                   marked.substr(end + 2),
                   instruction,
                   {}};
  const std::string before = task.before, after = task.after;
  RewriteMachine rewrite(std::move(task), {.doubts = 1});
  while (rewrite.request() != nullptr) rewrite.take(answer(text));
  return rewrite.result() ? before + *rewrite.result() + after : "refused: " + rewrite.result().message();
}

const std::string kOther = "refused: the model's answer is not a rewrite of these lines";

}  // namespace

TEST_CASE("an answer gets the indentation and the line ends of the lines that it replaces") {
  const std::string head = "def f(items):\n    if items:\n        for item in items:\n", last = "    return 1\n";
  const std::string nested = head + "«            print(item.name)\n»" + last;
  const std::string tried =
      "            try:\n                print(item.name)\n\n            except AttributeError:\n"
      "                pass\n";
  struct Case {
    const char* language;
    std::string before, answer, after;
  };
  const Case cases[] = {
      {"python", nested, "try:\n    print(item.name)\n  \nexcept AttributeError:\n    pass\n", head + tried + last},
      {"python", nested, tried, head + tried + last},
      // only the first line has lost it
      {"python", nested, tried.substr(12), head + tried + last},
      {"python", nested, "if item:\n    print(item)\n",
       head + "            if item:\n                print(item)\n" + last},
      // the header stays: the body's own indentation
      {"python", "def f(a):\n«    for x in a:\n        print(x)\n»", "if x:\n    print(x)\n",
       "def f(a):\n    for x in a:\n        if x:\n            print(x)\n"},
      {"python", "def f(a):\n\tfor x in a:\n«\t\tprint(x)\n»", "if x:\n    print(x)\n",
       "def f(a):\n\tfor x in a:\n\t\tif x:\n\t\t\tprint(x)\n"},
      {"python", "def f(a):\n    for x in a:\n«        print(x)\n»", "if x:\n\tprint(x)\n",
       "def f(a):\n    for x in a:\n        if x:\n            print(x)\n"},
      {"javascript", "function f(a) {\n«  g(a);\n»}\n", "if (a) {\n  g(a);\n}\n",
       "function f(a) {\n  if (a) {\n    g(a);\n  }\n}\n"},
      // a part of a line
      {"python", "def f(a):\n    x = «g(a)»\n", "    (\n    g(a)\n    or 1\n    )",
       "def f(a):\n    x = (\n    g(a)\n    or 1\n    )\n"},
      {"javascript", "function f(a) {\n  x = «g(a)»;\n}\n", "h(\n  a\n)",
       "function f(a) {\n  x = h(\n    a\n  );\n}\n"},
      {"python", "def f(a):\r\n«    print(a)\r\n»", "if a:\n    print(a)\n",
       "def f(a):\r\n    if a:\r\n        print(a)\r\n"},
      {"python", "def f(a):\r\n«    print(a)\r\n»", "    print(a)\n", "refused: the model would leave it as it is"},
      // what would not be these lines' place
      {"python", nested, "            print(item)\nprint(1)\n", kOther},
      {"python", "def f(a):\n    for x in a:\n«        print(x)\n    return 1\n»", "    print(a)\n    return 1\n",
       kOther},
  };
  for (const Case& c : cases) {
    INFO(c.before << "answered by\n" << c.answer);
    CHECK(rewritten(c.language, c.before, "Add error handling.", c.answer) == c.after);
  }
}

TEST_CASE("an answer that is another program, or loses definitions, is refused") {
  const std::string inside = "def f(a):\n«    print(a)\n»";
  const std::string two = "«def total(a):\n    return sum(a)\n\n\ndef other(a):\n    return total(a)\n»";
  const std::string lost = "refused: the model's answer loses a definition";
  const std::string types = "«class A {\n  int f() { return 1; }\n}\n\nclass B {\n}\n»";
  struct Case {
    const char* language;
    std::string before, instruction, answer, after;
  };
  const Case cases[] = {
      {"python", inside, "Handle errors.", "import sys\nprint(a)\n", kOther},
      {"python", inside, "Handle errors.", "from sys import argv\nprint(a)\n", kOther},
      {"python", inside, "Handle errors.", "def f(a):\n    print(a, 1)\n", kOther},
      {"python", inside, "Handle errors.", "class F:\n    a = 1\n", kOther},
      {"python", inside, "Handle errors.", "print(1)\nif __name__ == \"__main__\":\n    f(1)\n", kOther},
      {"python", inside, "Import sys here.", "import sys\nprint(a)\n", "def f(a):\n    import sys\n    print(a)\n"},
      {"python", "class A:\n«    a = 1\n»", "Make it a method.", "def a(self):\n    return 1\n",
       "class A:\n    def a(self):\n        return 1\n"},
      {"python", "«print(1)\n»", "Count.", "import sys\nprint(2)\n", "import sys\nprint(2)\n"},
      {"python", two, "rename total to add_all", "def add_all(a):\n    return sum(a)\n", lost},
      {"python", two, "rename total to add_all",
       "def add_all(a):\n    return sum(a)\n\n\ndef other(a):\n    return add_all(a)\n",
       "def add_all(a):\n    return sum(a)\n\n\ndef other(a):\n    return add_all(a)\n"},
      {"python", two, "Remove what is unused", "    return sum(a)\n", "def total(a):\n    return sum(a)\n"},
      {"java", types, "rename A to C", "class C {\n  int f() { return 1; }\n}\n", lost},
  };
  for (const Case& c : cases) {
    INFO(c.before << c.instruction << "\n" << c.answer);
    CHECK(rewritten(c.language, c.before, c.instruction, c.answer) == c.after);
  }
}
