#include "engine/decoding/hole_end.h"

#include <catch2/catch.hpp>
#include <string>

namespace cinnabar::engine {
namespace {

struct Case {
  std::string name;
  std::string text;  // prefix|suffix: the cursor is at the bar
  EndRule rule;
  std::string streamed;                 // what the model writes, going on behind the end
  std::optional<std::string> expected;  // the answer; none: not complete yet
};

HoleSurroundings surroundings(const Case& c) {
  const std::size_t cursor = c.text.find('|');
  REQUIRE(cursor != std::string::npos);
  return describe_hole(c.text.substr(0, cursor), c.text.substr(cursor + 1), c.rule);
}

const std::vector<Case> kLine = {
    {"python: to the line's end", "x = |\ny = 2\n", EndRule::line, "1 + 2\ny = 2\n", "1 + 2"},
    {"no newline yet", "x = |\ny = 2\n", EndRule::line, "1 + 2", std::nullopt},
    {"blanks at the end go", "x = |\n", EndRule::line, "1  \t\n", "1"},
    {"carriage return goes", "x = |\r\n", EndRule::line, "1\r\n", "1"},
    {"nothing to add", "x = 1|\n", EndRule::line, "\ny = 2", ""},
    {"leading blank stays", "x =|\n", EndRule::line, " 1\n", " 1"},
    {"c: bracket behind the cursor", "f(|);\n", EndRule::line, "a, b);\n", "a, b"},
    {"c: own bracket inside", "f(|);\n", EndRule::line, "g(a), b);\n", "g(a), b"},
    {"c: bracket not behind the cursor", "f(|\n", EndRule::line, "a, b);\nreturn", "a, b);"},
    {"js: rest of line repeated", "const s = |.trim();\n", EndRule::line, "input.trim();\n", "input"},
    {"js: rest of line not repeated", "const s = |.trim();\n", EndRule::line, "input\n", "input"},
    {"python: inside a string", "print(\"hel|\")\n", EndRule::line, "lo\")\nx", "lo"},
    {"bracket in a string is none", "f(|)\n", EndRule::line, "\")\", b)\n", "\")\", b"},
    {"escaped quote", "f(|)\n", EndRule::line, "\"\\\")\", b)\n", "\"\\\")\", b"},
    {"index", "a[|]\n", EndRule::line, "i][j]\n", "i"},
};

const std::vector<Case> kBlock = {
    {"js: the brace stands on the hole's line", "function f() {|}\n", EndRule::block, "\n  return 1;\n}\n",
     "\n  return 1;\n"},
    {"python: body until dedent", "def f(x):\n    |\n", EndRule::block, "y = x\n    return y\n\ndef g():\n",
     "y = x\n    return y"},
    {"python: body begun by a newline", "def f(x):|\n", EndRule::block, "\n    return x\n\nprint(f(1))\n",
     "\n    return x"},
    {"python: blank lines inside stay", "def f(x):\n    |\n", EndRule::block, "a = 1\n\n    b = 2\nc\n",
     "a = 1\n\n    b = 2"},
    {"python: nested body", "def f(x):\n    |\n", EndRule::block, "if x:\n        return 1\n    return 2\nz\n",
     "if x:\n        return 1\n    return 2"},
    {"python: cursor inside a line", "    if x:\n        y = 1\n    el|\n", EndRule::block,
     "se:\n        y = 2\n    return y\n", "se:\n        y = 2"},
    {"python: dedent inside brackets is none", "def f():\n    |\n", EndRule::block, "return [\n  1,\n]\nx\n",
     "return [\n  1,\n]"},
    {"python: next line repeated", "a = 1\n|\nprint(a, b)\n", EndRule::block, "b = 2\nprint(a, b)\n", "b = 2"},
    {"python: not complete without a sign", "def f(x):\n    |\n", EndRule::block, "y = x\n    return y\n",
     std::nullopt},
    {"python: apostrophe in a comment", "def f(x):\n    |\n", EndRule::block, "# don't\n    return 1\nx",
     "# don't\n    return 1"},
    {"tabs", "def f(x):\n\t|\n", EndRule::block, "y = x\n\treturn y\nz", "y = x\n\treturn y"},
    {"c: closing brace given behind", "int f(int a) {\n  |\n}\n", EndRule::block, "int b = a;\n  return b;\n}\n",
     "int b = a;\n  return b;"},
    {"c: closing brace missing", "int f(int a) {|\n", EndRule::block, "\n  return a;\n}\nint g() {\n",
     "\n  return a;\n}"},
    {"c: closing brace missing, another block behind", "int f(int a) {|\n\nint g();\n", EndRule::block,
     "\n  return a;\n}\n\nint g();\n", "\n  return a;\n}"},
    {"c: else goes on", "if (a) {|\n", EndRule::block, "\n  b();\n} else {\n  c();\n}\nd();\n",
     "\n  b();\n} else {\n  c();\n}"},
    {"c: call closed on its line", "x = foo(|\n", EndRule::block, "a, b);\ny = 2;\n", "a, b);"},
    {"c: bracket behind the cursor", "x = foo(|);\n", EndRule::block, "a,\n        b);\n", "a,\n        b"},
    {"js: arrow function", "const f = (x) => {|\n", EndRule::block, "\n  return x;\n};\nf(1);\n", "\n  return x;\n};"},
    {"js: inside, brace given behind", "function f() {\n  |\n}\n", EndRule::block, "return {a: 1};\n}\nf();\n",
     "return {a: 1};"},
};

const std::vector<Case> kHole = {
    {"python: next line repeated", "a = 1\n|\nprint(a + b)\n", EndRule::hole, "b = 2\nprint(a + b)\n", "b = 2"},
    {"python: dedent is no end", "def f():\n    |\nprint(f())\n", EndRule::hole,
     "return 1\n\ndef g():\n    return 2\n\nprint(f())\n", "return 1\n\ndef g():\n    return 2"},
    {"python: short line must have the same indentation", "if a:\n    |\nelse:\n    y()\n", EndRule::hole,
     "if b:\n        x()\n    else:\n        z()\nelse:\n", "if b:\n        x()\n    else:\n        z()"},
    {"c: closing brace given behind", "int f() {\n  |\n}\n", EndRule::hole, "g();\n  return 1;\n}\n",
     "g();\n  return 1;"},
    {"c: inner brace is not the outer one", "class A {\n  void f() {\n    |\n};\n", EndRule::hole,
     "x();\n  }\n  int a;\n};\n", "x();\n  }\n  int a;"},
    {"c: brace that nothing behind closes", "int f() {\n  |\n", EndRule::hole, "return 1;\n}\n\nint g();\n",
     std::nullopt},
    {"js: rest of line", "f(|);\n", EndRule::hole, "a, () => {\n  b();\n});\n", "a, () => {\n  b();\n}"},
    {"js: repeated line inside brackets is no end", "g(\n|\n  b, c, d\n", EndRule::hole, "[\n  b, c, d\n",
     std::nullopt},
    {"nothing behind", "a = |", EndRule::hole, "1\nb = 2\n", std::nullopt},
    {"lines: until one is indented less", "def f(x):\n|", EndRule::hole, "    y = x\n    return y\n\ndef g():\n",
     "    y = x\n    return y"},
    {"lines: the same in an indentation", "def f(x):\n    |\n", EndRule::hole, "y = x\n    return y\n\nf(1)\n",
     "y = x\n    return y"},
    {"lines: the next line follows at once", "def f(x):\n    a = 1\n|    return a + x\n", EndRule::hole,
     "    if x:\n        a = 2\n    return a + x\n", "    if x:\n        a = 2\n"},
    {"lines: the same in a loop", "for i in a:\n|    for j in b:\n        f(i, j)\n", EndRule::hole,
     "    if i:\n        continue\n    for j in b:\n        f(i, j)\n", "    if i:\n        continue\n"},
    {"lines: nothing is missing", "def f(x):\n|    return x\n", EndRule::hole, "    return x\n", ""},
    {"lines: what is left does not lie around the next line", "def f(x):\n    if x:\n|        y()\n    z()\n",
     EndRule::hole, "        x()\n        w()\ndef g():\n", "        x()\n        w()\n"},
    {"lines: less indented, and then the next line", "def f(x):\n    for y in x:\n|    return z\n", EndRule::hole,
     "        a(y)\n    z = 1\n    return z\n", "        a(y)\n    z = 1\n"},
    {"lines: less indented, and the next line never comes", "def f(x):\n    for y in x:\n|    return z\n",
     EndRule::hole, "        a(y)\n    b()\n    b()\n    b()\n    b()\n    b()\n    b()\n    b()\n", "        a(y)\n"},
    {"lines: not known yet", "def f(x):\n    for y in x:\n|    return z\n", EndRule::hole,
     "        a(y)\n    b()\n    b()\n", std::nullopt},
    {"lines: inside brackets indentation says nothing", "def f(x):\n|", EndRule::hole,
     "    y = [\n  1,\n]\n    return y\nz\n", "    y = [\n  1,\n]\n    return y"},
    {"lines: the next line, but elsewhere", "def f(x):\n    if x:\n|\n    return list(map(g, x))\n", EndRule::hole,
     "        return x\n    if g(x):\n        return list(map(g, x))\n", "        return x"},
    {"lines: the header of what stands behind", "def f(x):\n|        x.append(1)\n    return x\n", EndRule::hole,
     "    for y in x:\n        x.add(y)\n    return x\n\nf([])\n", "    for y in x:\n"},
    {"lines: headers, and then the next line", "def f(x):\n|        x.append(1)\n", EndRule::hole,
     "    if not x:\n        return\n    for y in x:\n        x.append(1)\n",
     "    if not x:\n        return\n    for y in x:\n"},
    {"lines: behind a bracket they close, those around it count",
     "def f(x):\n    y = g(\n        x,\n|\n    return y\n", EndRule::hole,
     "        1,\n    )\n    y += 1\n    z(y)\n\nclass A:\n", "        1,\n    )\n    y += 1\n    z(y)"},
    {"c: lines, a brace that is closed ends no hole", "int f() {\n|\n", EndRule::hole, "  return 1;\n}\n\nint g();\n",
     std::nullopt},
};

// What stays of a text to which no more comes.
struct Unended {
  std::string name, text;
  EndRule rule;
  std::string streamed;
  bool whole;
  std::string expected;
};
const std::vector<Unended> kUnended = {
    {"the last line may not be whole", "def f(x):\n|", EndRule::hole, "    y = x\n    z = y +", false, "    y = x"},
    {"... and a line end stays", "def f(x):\n|    return 1\n", EndRule::hole, "    y = x\n    z = y +", false,
     "    y = x\n"},
    {"one line is kept", "def f(x):\n|", EndRule::hole, "    y = x +", false, "    y = x +"},
    {"the model says that it is all", "def f(x):\n|", EndRule::hole, "    y = x\n    return y", true,
     "    y = x\n    return y"},
    {"... behind the next line", "def f(x):\n|\n    return y", EndRule::hole, "    y = x\n    return y", true,
     "    y = x"},
    {"... behind a line that is indented less", "def f(x):\n    for y in x:\n|\n    return z\n", EndRule::hole,
     "        a(y)\n    return y", true, "        a(y)"},
    {"no hole of lines", "x = |\n", EndRule::hole, "f(\n  a,\n  b", false, "f(\n  a,\n  b"},
};

void check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    INFO(c.name);
    const HoleSurroundings hole = surroundings(c);
    const auto end = find_hole_end(hole, c.streamed);
    CHECK(end.has_value() == c.expected.has_value());
    if (end && c.expected) CHECK(c.streamed.substr(0, *end) == *c.expected);
  }
}

TEST_CASE("line: the rest of the cursor's line") { check(kLine); }
TEST_CASE("block: until the block ends") { check(kBlock); }
TEST_CASE("hole: until the text behind is repeated, or a line of it is indented less than the first") { check(kHole); }

TEST_CASE("a text without an end keeps its whole lines") {
  for (const Unended& c : kUnended) {
    INFO(c.name);
    const HoleSurroundings hole = surroundings({c.name, c.text, c.rule, c.streamed, {}});
    CHECK(c.streamed.substr(0, unended_length(hole, c.streamed, c.whole)) == c.expected);
  }
}

// Streaming byte by byte: once an end is found it never moves, whatever comes behind it.
TEST_CASE("an end that was found stays") {
  const std::string tails[] = {"", "\n", "}", ")", "x", "\n\n}\nelse:\n", "\"'`([{", "    ", "\r\n\tprint(a, b)\n"};
  for (const auto* cases : {&kLine, &kBlock, &kHole}) {
    for (const Case& c : *cases) {
      INFO(c.name);
      const HoleSurroundings hole = surroundings(c);
      std::optional<std::size_t> found;
      for (std::size_t length = 0; length <= c.streamed.size(); ++length) {
        const auto end = find_hole_end(hole, std::string_view(c.streamed).substr(0, length));
        if (found) REQUIRE(end == found);
        if (end) REQUIRE(*end <= length);
        found = end;
        if (!found) continue;
        for (const std::string& tail : tails)
          REQUIRE(find_hole_end(hole, c.streamed.substr(0, length) + tail) == found);
      }
    }
  }
}

// The same for texts nobody wrote: random rows of the characters the rules look at, under all rules.
TEST_CASE("an end that was found stays: random text") {
  constexpr std::string_view kLetters = "ab \t\n\n(){}[]\"'\\;\r";
  std::uint32_t state = 1;
  const auto random = [&](std::uint32_t n) {
    state = state * 1664525U + 1013904223U;
    return (state >> 16) % n;
  };
  const auto text = [&](std::uint32_t longest) {
    std::string t;
    for (std::uint32_t n = random(longest + 1); n > 0; --n)
      t += kLetters[random(static_cast<std::uint32_t>(kLetters.size()))];
    return t;
  };
  int found_count = 0;
  for (int round = 0; round < 3000; ++round) {
    const auto rule = static_cast<EndRule>(round % 3);
    const HoleSurroundings hole = describe_hole(text(20), text(20), rule);
    const std::string streamed = text(40);
    std::optional<std::size_t> found;
    for (std::size_t length = 0; length <= streamed.size(); ++length) {
      const auto end = find_hole_end(hole, std::string_view(streamed).substr(0, length));
      if (found) REQUIRE(end == found);
      if (end) REQUIRE(*end <= length);
      found = end;
    }
    found_count += found ? 1 : 0;
  }
  CHECK(found_count > 500);  // the property was not checked on nothing
}

TEST_CASE("describe_hole takes the lines around the cursor") {
  const auto hole = describe_hole("a\n  b = ", " + c ;\r\n\n   \n  next  \nlast", EndRule::block);
  CHECK(hole.line_before == "  b = ");
  CHECK(hole.rest_of_line == "+ c ;");
  CHECK(hole.next_line == "  next");
  const auto empty = describe_hole("", "", EndRule::line);
  CHECK(empty.line_before.empty());
  CHECK(empty.rest_of_line.empty());
  CHECK(empty.next_line.empty());
}

TEST_CASE("names of the end rules") {
  CHECK(parse_end_rule("line") == EndRule::line);
  CHECK(parse_end_rule("block") == EndRule::block);
  CHECK(parse_end_rule("hole") == EndRule::hole);
  CHECK_FALSE(parse_end_rule("Line"));
  CHECK_FALSE(parse_end_rule(""));
}

}  // namespace
}  // namespace cinnabar::engine
