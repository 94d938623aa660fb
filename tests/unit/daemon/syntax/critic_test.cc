// What the critic makes of an answer, rule by rule and as a whole.
#include "daemon/syntax/critic.h"

#include <catch2/catch.hpp>

#include "daemon/syntax/cuts.h"
#include "daemon/syntax/indentation.h"
#include "daemon/workspace/documents/region.h"
#include "daemon/workspace/documents/trees.h"

using namespace cinnabar;
using namespace cinnabar::daemon::syntax;

namespace {

struct Judged {
  const char* what;
  const char* language;
  const char* source;  // | is the cursor
  const char* answer;
  const char* kept;
};

const Judged kJudged[] = {
    {"right as it is", "python", "x = |\n", "f(1)", "f(1)"},
    {"a line too many", "python", "def f():\n    |\n", "return 1\n    return (2", "return 1"},
    {"nothing of it parses", "python", "x = [1, |]\n", "2)) + (", ""},
    {"a closer too many", "javascript", "f(|);\n", "a)", ""},
    {"an unfinished last line", "go", "func f() {\n\t|\n}\n", "a()\n\tb(", "a()"},
    {"what follows, once more", "python", "def f():\n    |\n    return total\n", "total = 1\n    return total",
     "total = 1"},
    {"the rest of the line, once more", "c", "int x = |, count + 1);\n", "f(a, count + 1);", "f(a"},
    {"a body on the brace's line", "javascript", "function f() {|}\n", "\n  return 1;", "\n  return 1;\n"},
    {"tabs where the file has tabs", "go", "func f() {\n\tif a {\n\t\t|\n\t}\n}\n", "b()\n    c()", "b()\n\t\tc()"},
    {"a stub for a stub", "python", "def f():\n    pass|\n", "raise NotImplementedError", ""},
    {"a stub for a stub, with braces", "go", "func f() {\n\t// TODO: write|\n}\n", "panic(\"TODO\")", ""},
    {"what is whole of an unfinished body", "go",
     "package a\n\nfunc f(t int) error {\n\t|\n}\n\n// g is next.\nfunc g() int {\n\tx := 1\n\treturn x\n}\n",
     "if t == 1 {\n\t\treturn nil\n\t}\n\n\tvar runes int\n\tfor name, value := range pairs {\n\t\tif !check(name) {\n"
     "\t\t\treturn errorf(\"name %q is invalid\", name)",
     "if t == 1 {\n\t\treturn nil\n\t}\n\n\tvar runes int"},
    {"a broken file may stay as broken", "python", "def g(:\n    pass\n\nx = |\n", "1", "1"},
    // What would be right in the hole is what an answer is compared with: the document without it is broken.
    {"a dot too many", "typescript", "const a = JSON.|\n", ".stringify(b)", ""},
    {"a dot too many, in an argument", "javascript", "f(\"a\", JSON.|);\n", ".stringify(b)", ""},
    {"a tag's end twice", "typescriptreact", "const a = <b c={|>d</b>;\n", "e}>", ""},
    {"half of an expression", "go", "package a\n\nfunc f() int {\n\treturn a + |\n}\n", "b +", ""},
    {"an operator in front of a factor", "java", "class A {\n  int f(int a) {\n    return a + | * 2;\n  }\n}\n", "b +",
     ""},
    {"a header without its body", "typescript", "export function f|\n\nconst a = 1;\n", "(id: number) {", ""},
    {"a function with its body", "typescript", "export function f|\n\nconst a = 1;\n", "(id: number) {\n  g(id);\n}",
     "(id: number) {\n  g(id);\n}"},
    {"a string that is left open", "rust", "fn f() {\n    println!(\"|\n    let a = \"b\";\n}\n", "Hello", ""},
    {"a string that is closed", "rust", "fn f() {\n    println!(\"|\n    let a = \"b\";\n}\n", "Hello\");",
     "Hello\");"},
    {"an attribute that is left open", "html", "<a>\n<b c=\"|\n<d e=\"f\"></d>\n</a>\n", "g", ""},
    {"an element whose end is still to be written", "html", "<body>\n  |\n</body>\n", "<main>", "<main>"},
    {"the same in code", "typescriptreact", "const a = (\n  <ul>\n    |\n  </ul>\n);\n", "<li key={b}>",
     "<li key={b}>"},
    {"elements, one of them closed", "html", "<body>\n  |\n</body>\n", "<nav><a href=\"b\">c</a>",
     "<nav><a href=\"b\">c</a>"},
    {"a word in a string", "python", "f(\"|\")\n", "a b", "a b"},
    {"words in a comment", "c", "int a; // |\n", "it's (one", "it's (one"},
    {"a cut behind the whole of a loop", "python", "def f(a):\n    |\n", "for b in a:\n        c(b)\n    return (d",
     "for b in a:\n        c(b)"},
};

Verdict judge_at(const Judged& c) {
  std::string text = c.source;
  const std::size_t cursor = text.find('|');
  text.erase(cursor, 1);
  const LineIndex lines(text);
  const auto tree = Tree::parse(*find_language(c.language), text, lines);
  REQUIRE(tree);
  return judge(*tree, lines, plan_at(*tree, cursor).holes.front(), c.answer);
}

}  // namespace

TEST_CASE("an answer that makes the file parse worse is cut or withheld") {
  for (const Judged& c : kJudged) {
    INFO(c.what);
    const Verdict verdict = judge_at(c);
    CHECK(verdict.text == c.kept);
    CHECK(verdict.withheld == (*c.kept == '\0'));
    CHECK_FALSE(is_worse(verdict.after, verdict.before, verdict.text.size()));
    const bool converted = c.what == std::string_view("tabs where the file has tabs");
    CHECK(verdict.cut == (!converted && std::string_view(c.kept).size() < std::string_view(c.answer).size()));
  }
}

TEST_CASE("the critic names what is wrong") {
  const Verdict verdict = judge_at({"", "javascript", "f(|);\n", "a)", ""});
  REQUIRE_FALSE(verdict.wrong.empty());
  CHECK(verdict.wrong.front().begin <= 2);
}

TEST_CASE("what stands behind the hole is not repeated") {
  CHECK(without_repetition("f(a, count + 1);", ", count + 1);\nnext();") == "f(a");
  CHECK(without_repetition("a();\n  return total;", "\n  return total;\n}") == "a();");
  CHECK(without_repetition("a();\n}", "\n}\n") == "a();\n}");  // too short to tell
  CHECK(without_repetition("return total;", "\n  return totals;") == "return total;");
}

TEST_CASE("indentation is the file's") {
  CHECK(with_indentation_of("a\n    b\n        c", {true, 8}) == "a\n\tb\n\t\tc");
  CHECK(with_indentation_of("a\n\tb\n\t\tc", {false, 2}) == "a\n  b\n    c");
  CHECK(with_indentation_of("a\n    b", {false, 4}) == "a\n    b");
  CHECK(with_indentation_of("    a", {true, 8}) == "    a");
}

TEST_CASE("an answer is cut behind whole statements") {
  struct Case {
    const char* what;
    const char* answer;
    std::vector<std::size_t> lengths;
  };
  const Case cases[] = {
      {"statements", "a\n  b\n\n  c", {5, 1}},
      {"one line", "a", {}},
      {"inside a block", "if (a) {\n    b();\n    c();\n  }\n  d();", {30}},
      {"a header without its body", "if a:\n        b()\n    c()", {17}},
      {"its other branch", "if a:\n        b()\n    else:\n        c()", {}},
      {"an open bracket", "f(\n  a,\n  b\n  )\n  g()", {15}},
      {"a decorator", "@a\n  def b(): pass", {}},
      {"an expression that goes on", "a = b +\n  c\n  d", {11}},
  };
  for (const Case& c : cases) {
    INFO(c.what);
    CHECK(cuts(c.answer) == c.lengths);
  }
}

TEST_CASE("a tree follows its document") {
  const auto snapshot = [](const std::string& text, std::uint64_t revision) {
    return std::make_shared<const daemon::DocumentSnapshot>(
        daemon::DocumentSnapshot::Identity{"file:///a.py", "python", 1, revision}, text, LineIndex(text));
  };
  Trees trees(2, {1000, 100, std::chrono::seconds(10)});
  std::string text = "def f(a):\n    return a\n";
  for (int i = 0; i < 20; ++i) {
    text.insert(text.size() / 2, i % 3 == 0 ? "(" : i % 3 == 1 ? ")" : "\u00e4\n");
    const auto document = snapshot(text, static_cast<std::uint64_t>(i));
    const auto parsed = trees.of(document);
    REQUIRE(parsed.tree);
    const auto anew = Tree::parse(*find_language("python"), document->text(), document->lines());
    const std::unique_ptr<char, decltype(&free)> one(ts_node_string(parsed.tree->root()), &free);
    const std::unique_ptr<char, decltype(&free)> other(ts_node_string(anew->root()), &free);
    CHECK(std::string(one.get()) == std::string(other.get()));
    CHECK(trees.of(document).tree == parsed.tree);
  }
  CHECK_FALSE(trees.of(snapshot(std::string(2000, '\n'), 100)).tree);  // too large
  CHECK_FALSE(trees.of(snapshot(std::string(200, 'x'), 101)).tree);    // a line too long
  CHECK(trees.of(snapshot("x = 1\n", 102)).tree);
  CHECK(difference("abcd", "abXd") == ByteEdit{2, 3, 3});
  CHECK(difference("aaa", "aaaa") == ByteEdit{3, 3, 4});
  CHECK(difference("\u00e4", "\u00f6") == ByteEdit{0, 2, 2});
  CHECK(merged(std::vector<ByteEdit>{{5, 6, 9}, {2, 3, 3}, {10, 12, 10}}) == ByteEdit{2, 9, 10});
}

TEST_CASE("of a large document a part around the cursor is worked in") {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "def f" + std::to_string(i) + "(a):\n    b = a\n    return b\n\n";
  const auto snapshot = [](const std::string& source) {
    return std::make_shared<const daemon::DocumentSnapshot>(
        daemon::DocumentSnapshot::Identity{"file:///a.py", "python", 1, 1}, source, LineIndex(source));
  };
  Trees trees;
  for (const std::size_t offset : {std::size_t{0}, text.size() / 3, text.size()}) {
    const auto document = snapshot(text);
    const auto region = region_at(document, offset, trees);
    REQUIRE(region->tree);
    CHECK(region->begin <= offset);
    CHECK(region->begin + region->text.size() >= offset);
    CHECK(region->text.size() < 20'000);
    CHECK(text.compare(region->begin, region->text.size(), region->text) == 0);
    CHECK(region->text.starts_with("def "));
    CHECK(damage_of(*region->tree).count() == 0);  // cut at the margin
  }
  const auto small = region_at(snapshot("x = 1\n"), 3, trees);
  CHECK(small->begin == 0);
  CHECK(small->tree->text() == "x = 1\n");
  // Nothing begins at the margin, lines are long: still a bounded part of whole lines.
  std::string deep = "{\n";
  for (int i = 0; i < 400; ++i) deep += "  a" + std::string(300, 'b') + "\n";
  const Span part = part_around(deep, LineIndex(deep), deep.size() / 2);
  CHECK(part.end - part.begin <= 20'000);
  CHECK(deep[part.begin - 1] == '\n');
  CHECK(deep[part.end - 1] == '\n');
}

TEST_CASE("a part of a large file does not begin or end inside a string of several lines") {
  const std::string body = "def f():\n    return 1\n\n\n";
  std::string above, below, prose;
  for (int i = 0; i < 1000; ++i) above += body;
  for (int i = 0; i < 28; ++i) prose += "words at the margin, and it's prose\n";
  below = above;
  const std::string string = "x = r\"\"\"text\n" + prose + "\"\"\"\n", other = "'''a \"\"\" b\n" + prose + "'''\n";
  std::string huge = "y = \"\"\"\n";
  for (int i = 0; i < 20; ++i) huge += prose;
  huge += "\"\"\"\n";
  struct Case {
    const char* what;
    std::string before, behind;
    const char* begins;
    const char* ends;
  };
  const Case cases[] = {
      {"above", string + body, body, "x = r", "return 1\n\n\n"},
      {"above, the other quote around the first", other + body, body, "'''a", "return 1\n\n\n"},
      {"below", body, body + string + body, "def f", "\"\"\"\n"},
      {"the cursor inside", "x = \"\"\"\n" + prose, prose + "\"\"\"\n", "def f", "\"\"\"\n"},
      {"above, too long", huge + body, body, "def f", "return 1\n\n\n"},
      {"below, too long", body, body + huge, "def f", "\n"},
  };
  for (const auto& c : cases) {
    INFO(c.what);
    const std::string text = above + c.before + c.behind + below;
    const auto region = region_at(text, above.size() + c.before.size(), "python", "a.py");
    REQUIRE(region->tree);
    CHECK(region->text.starts_with(c.begins));
    CHECK(region->text.ends_with(c.ends));
    CHECK(damage_of(*region->tree).count() == 0);
  }
}
