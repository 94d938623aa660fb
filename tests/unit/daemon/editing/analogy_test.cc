// What edits ask for elsewhere: a text, edits made to it one after another, and the best proposal.
#include "daemon/editing/analogy.h"

#include <catch2/catch.hpp>

#include "daemon/editing/code_tokens.h"
#include "daemon/syntax/tree.h"

using namespace cinnabar;
using namespace cinnabar::daemon;

namespace {

struct Step {
  const char* from;  // its first occurrence
  const char* to;
};
struct AnalogyCase {
  const char* language;
  const char* text;
  std::vector<Step> steps;
  const char* expected;  // the line of the best proposal when it is accepted; empty: nothing is proposed
};

const AnalogyCase kCases[] = {
    // Renames.
    {"python",
     "def total(items):\n    count = 0\n    for item in items:\n        count += item\n    return count\n",
     {{"count = 0", "amount = 0"}},
     "        amount += item"},
    {"python",
     "def area(w, h):\n    return w * h\n\n\ndef volume(w, h, d):\n    return area(w, h) * d\n",
     {{"def area", "def surface"}},
     "    return surface(w, h) * d"},
    {"javascript",
     "function load(path) {\n  const data = read(path);\n  return parse(data);\n}\n",
     {{"const data", "const text"}},
     "  return parse(text);"},
    {"go",
     "func sum(xs []int) int {\n\ttotal := 0\n\tfor _, x := range xs {\n\t\ttotal += x\n\t}\n\treturn total\n}\n",
     {{"total := 0", "acc := 0"}},
     "\t\tacc += x"},
    {"java",
     "class A {\n  private int size;\n  int twice() {\n    return size * 2;\n  }\n}\n",
     {{"int size", "int length"}},
     "    return length * 2;"},
    // A value or another call changed says nothing of other places.
    {"python", "a = load(1)\nb = load(2)\nprint(a, b)\n", {{"load(1)", "load(7)"}}, ""},
    {"python", "x = 1\ny = 2\n", {{"x = 1", "x = 3"}}, ""},
    // Lines of the same shape.
    {"javascript",
     "console.log(a);\nconsole.log(b);\nconsole.log(c);\n",
     {{"console.log(a)", "logger.debug(a)"}},
     "logger.debug(b);"},
    {"python", "a = int(x)\nb = int(y)\n", {{"int(x)", "int(x or 0)"}}, "b = int(y or 0)"},
    {"typescript",
     "interface P {\n  name: string;\n  email: string;\n}\n",
     {{"name: string", "readonly name: string"}},
     "  readonly email: string;"},
    {"c",
     "int get_width(void);\nint get_height(void);\n",
     {{"int get_width", "static int get_width"}},
     "static int get_height(void);"},
    // A parameter or an argument more.
    {"python", "def send(msg):\n    pass\n\n\nsend(a)\n", {{"send(msg)", "send(msg, retries)"}}, "send(a, retries)"},
    {"go", "x := get(a)\nif y {\n\tz = get(b)\n}\n", {{"get(a)", "get(ctx, a)"}}, "\tz = get(ctx, b)"},
    // A line added beside its like.
    {"python",
     "class P:\n    def __init__(self, name, age):\n        self.name = name\n        self.age = age\n\n"
     "    def copy(self):\n        return P(self.name, self.age)\n",
     {{"self.age = age\n", "self.age = age\n        self.email = email\n"}},
     "        return P(self.name, self.age, self.email)"},
    {"javascript",
     "const a = { red: 1, green: 2 };\nimport red from './red';\nimport green from './green';\nuse(a);\n",
     {{"import green from './green';\n", "import green from './green';\nimport blue from './blue';\n"}},
     ""},
    {"python",
     "RED = 1\nBLUE = 2\n\nNAMES = {\n    RED: \"red\",\n    BLUE: \"blue\",\n}\n",
     {{"BLUE = 2\n", "BLUE = 2\nBLACK = 3\n"}},
     "    BLACK: \"black\","},
    {"ruby",
     "class U\n  attr_reader :name, :mail\n\n  def initialize(name, mail)\n    @name = name\n    @mail = mail\n  "
     "end\nend\n",
     {{"@mail = mail\n", "@mail = mail\n    @age = age\n"}},
     "  def initialize(name, mail, age)"},
    // Names that are imported, and fields.
    {"javascript",
     "import { load } from './api';\n\nshow(load(1));\n",
     {{"{ load }", "{ fetchOne }"}},
     "show(fetchOne(1));"},
    {"typescript",
     "class C {\n  private count = 0;\n  add() { this.count += 1; }\n}\n",
     {{"private count", "private value"}},
     "  add() { this.value += 1; }"},
    // A phrase is no rename, marks between two tokens are a change, an operator is none.
    {"javascript",
     "const logger = 1;\nconsole.log('a');\nconsole.log('b' + c);\n",
     {{"console.log('a')", "logger.info('a')"}},
     "logger.info('b' + c);"},
    {"typescript", "const a = u.name;\nconst b = u.mail.host;\n", {{"u.name", "u?.name"}}, "const b = u?.mail.host;"},
    {"rust", "if x > 0 { a() }\nif x > 1 { b() }\n", {{"x > 0", "x >= 0"}}, ""},
    {"html",
     "<ul>\n<li class=\"a\">One</li>\n<li class=\"a\">Two</li>\n</ul>\n",
     {{"<li class=\"a\">One", "<li class=\"b\">One"}},
     "<li class=\"b\">Two</li>"},
    // What was undone is forgotten.
    {"python",
     "def f():\n    count = 0\n    return count\n",
     {{"count = 0", "total = 0"}, {"total = 0", "count = 0"}},
     ""},
};

std::string replaced(const std::string& text, std::size_t begin, std::size_t end, const std::string& with) {
  return text.substr(0, begin) + with + text.substr(end);
}

std::string line_at(const std::string& text, std::size_t at) {
  const std::size_t begin = line_begin(text, at);
  return text.substr(begin, std::min(text.find('\n', at), text.size()) - begin);
}

}  // namespace

TEST_CASE("an edit's best analogy") {
  for (const AnalogyCase& c : kCases) {
    std::string text = c.text;
    EditHistory history;
    std::size_t cursor = 0;
    for (const Step& step : c.steps) {
      const std::size_t begin = text.find(step.from), length = std::string(step.from).size();
      REQUIRE(begin != std::string::npos);
      const std::string after = replaced(text, begin, begin + length, step.to);
      cursor = begin + std::string(step.to).size();
      history.add(text, {begin, begin + length, cursor}, after);
      text = after;
    }
    const LineIndex lines(text);
    const auto tree = syntax::Tree::parse(*syntax::find_language(c.language), text, lines);
    const auto found = edits_by_analogy({text, history.edits(), cursor, tree.get()});
    CAPTURE(c.language, text);
    if (std::string(c.expected).empty()) {
      CHECK((found.empty() ? "" : found.front().text) == std::string());
      continue;
    }
    REQUIRE_FALSE(found.empty());
    const auto& best = found.front();
    const std::string accepted = replaced(text, best.begin, best.end, best.text);
    CHECK(line_at(accepted, best.begin + (best.text.starts_with("\n") ? 1 : 0)) == c.expected);
  }
}

TEST_CASE("keystrokes of one line are one edit, edits of several lines are several") {
  std::string text = "one\ntwo\nthree\n";
  EditHistory history;
  const auto type = [&](std::size_t begin, std::size_t end, const std::string& with) {
    const std::string after = replaced(text, begin, end, with);
    history.add(text, {begin, end, begin + with.size()}, after);
    text = after;
  };
  type(0, 3, "a");
  type(1, 1, "b");
  type(2, 2, "c");
  REQUIRE(history.edits().size() == 1);
  CHECK(history.edits().front().old == "one");
  type(8, 13, "drei");
  REQUIRE(history.edits().size() == 2);
  CHECK(as_diff(whole_lines(text, history.edits().back())) == "-three\n+drei\n");
  type(0, 0, "zero\n");
  type(4, 4, "!");
  CHECK(text == "zero!\nabc\ntwo\ndrei\n");
  const auto whole = whole_lines(text, history.edits().back());
  CHECK(as_diff(whole) == "-one\n+zero!\n+abc\n");
}

TEST_CASE("a word is replaced in the way it is written") {
  CHECK(with_word_replaced("userName", "user", "account") == "accountName");
  CHECK(with_word_replaced("USER_ID", "user", "account") == "ACCOUNT_ID");
  CHECK(with_word_replaced("loadUsers", "user", "account") == "loadAccounts");
  CHECK(with_word_replaced("get_user", "user", "account") == "get_account");
  CHECK(with_word_replaced("abuser", "user", "account") == "abuser");
  CHECK(with_word_replaced("useradd", "user", "account") == "useradd");
}
