// What of an answer fits its place: rows of a text with a cursor, an answer, and what is to be inserted.
#include "daemon/completion/fit.h"

#include <catch2/catch.hpp>

namespace cinnabar::daemon {
namespace {

struct Case {
  const char* what;
  const char* language;  // LSP's identifier, with a grammar or without
  std::string text;      // ‸ is the cursor
  std::string answer;
  std::string shown;
};

std::string fitted_at(const Case& c, const std::optional<IndentStyle>& formatting = std::nullopt) {
  constexpr std::string_view kCursor = "‸";
  const std::size_t at = c.text.find(kCursor);
  REQUIRE(at != std::string::npos);
  const std::string before = c.text.substr(0, at), behind = c.text.substr(at + kCursor.size());
  Fitting place;
  place.before = before;
  place.behind = behind;
  place.language = syntax::find_language(c.language);
  place.language_id = c.language;
  place.formatting = formatting;
  return fitted(c.answer, place);
}

void check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    INFO(c.what << ": " << c.text);
    CHECK(fitted_at(c) == c.shown);
  }
}

TEST_CASE("blanks at the begin") {
  check({
      {"behind an opener", "python", "class A:\n    def b(‸", " self):", "self):"},
      {"behind an opener, in a file that writes them so", "c", "a( 1 );\nb( 2 );\nf(‸);\n", " 3 ", " 3"},
      {"behind a dot", "javascript", "const a = `${user.‸} is`;\n", " name", "name"},
      {"behind a dot far in", "python", "def f(a):\n    for b in a:\n        if b:\n            c.‸\n", " append(b)",
       "append(b)"},
      {"behind a call's dot", "cpp", "f(a).‸\n", " b();", "b();"},
      {"behind a scope", "rust", "let a = Vec::‸\n", " new();", "new();"},
      {"behind a member's arrow", "cpp", "a->‸\n", " b();", "b();"},
      {"behind a result's arrow", "python", "def f() ->‸:\n", " int", " int"},
      {"behind a sentence", "plaintext", "This is the end of it.‸\n", " And more.", " And more."},
      {"behind a comma", "python", "f(a,‸)\n", " b", " b"},
      {"behind a word", "python", "return‸\n", " x", " x"},
      {"behind a blank", "python", "return ‸\n", " x", "x"},
      {"a comment behind a blank", "python", "x = 1 ‸\n", " # one", " # one"},
      {"a shell's test", "shellscript", "if [‸\n", " -f a ]; then", " -f a ]; then"},
      {"an import's brace", "typescript", "import {‸} from \"a\";\n", " b ", " b "},
      {"an element of a subscript", "python", "x = a[‸\n", " 0]", "0]"},
      {"a type's parameter", "rust", "let a: Vec<‸\n", " u8> = b;", "u8> = b;"},
      {"an indented line", "lua", "function M.add(a, b)\n  ‸\nend\n", "  return a + b", "return a + b"},
      {"an indented line of several", "shellscript", "for f in *.txt; do\n  ‸\ndone\n", "  a\n    b", "a\n  b"},
      {"an indented line whose others are right", "lua", "function f()\n  ‸\nend\n", "  a()\n  b()", "a()\n  b()"},
      {"a line that its header wants deeper", "python", "    if a:\n    ‸\n", "    b()", "    b()"},
      {"a line without its indentation", "python", "def f():\n‸\n", "    return 1", "    return 1"},
      {"an indented line without a grammar", "swift", "func f() {\n    ‸\n}\n", "  a()", "a()"},
  });
}

TEST_CASE("what stands behind the cursor on its line") {
  check({
      {"an end that is there", "c", "  return w * ‸ - 1;\n", "h;", "h"},
      {"what follows, once more", "c", "  return w * ‸ - 1;\n", "h - 1;", "h"},
      {"a factor behind", "java", "return a + ‸ * 2;\n", "2;", "2"},
      {"what follows without its last mark", "java", "return a + ‸ * 2;\n", "b * 2", "b"},
      {"a call's arguments", "javascript", "xs.fil‸(x => x > 1);\n", "ter(x => x > 1);", "ter"},
      {"a call with other arguments", "javascript", "xs.fil‸(x => x > 1);\n", "ter(y => y);", "ter"},
      {"a chain", "javascript", "xs.fil‸(x => x > 1);\n", "ter(a).map", "ter(a).map"},
      {"a comment", "javascript", "const a = 1; ‸ const b = 2;\n", "// two", ""},
      {"a statement and a comment", "javascript", "const a = 1; ‸ const b = 2;\n", "f(); // two", "f();"},
      {"a comment in front of a closer", "python", "f(‸)\n", "a  # the first", "a"},
      {"a comment behind nothing", "python", "f(a) ‸\n", "# the first", "# the first"},
      {"an address is none", "python", "f(‸)\n", "\"http://a\"", "\"http://a\""},
      {"closers of others", "typescript", "list.filter((each) => (each.id === ‸));\n", "id));", "id"},
      {"a closer of its own", "typescript", "f(‸);\n", "g(a)", "g(a)"},
      {"one of two closers is wanted", "python", "f(g(‸)\n", "a)", "a)"},
      {"one of two closers is one too many", "python", "f(g(‸))\n", "a)", "a"},
      {"a bracket of another kind", "javascript", "f([1, ‸]);\n", "2)", "2"},
      {"an attribute's brace", "typescriptreact", "<button disabled={‸>Add</button>\n", "a === \"\"}>", "a === \"\"}"},
      {"the rest in part", "dockerfile", "FROM py‸:3.12\n", "thon:3.12-slim", "thon"},
      {"the rest whole", "dockerfile", "FROM py‸:3.12\n", "thon:3.12", "thon"},
      {"a cell of a table", "markdown", "| a | ‸ | c |\n", "b | c |", "b"},
      {"a cell of a table, and another row", "markdown", "| a | ‸ | c |\n", "b | d |\n| e | f | g |", "b"},
      {"a field of a list", "csv", "1,‸,3\n", "2,3", "2"},
      {"one line", "swift", "let a = ‸ + 1\n", "b\nlet c = 2", "b"},
      {"several lines between closers", "python", "f(‸)\n", "\n    a,\n    b\n", "\n    a,\n    b"},
      {"a blank that parts", "python", "return ‸x\n", "a + x", "a + "},
      {"a blank that parts nothing", "python", "f(‸)\n", "a ", "a"},
      {"an argument in front of another", "python", "f(‸, 3)\n", "2, 3", "2"},
      {"a closing tag", "html", "<li><a href=\"#‸</li>\n", "pies\">Pies</a></li>", "pies\">Pies</a>"},
      {"inside a string", "python", "print(\"a ‸\")\n", "b\")", "b"},
      {"inside a string of an open call", "python", "f(\"‸\", 1)\n", "a\", 2)", "a"},
      {"a word's end", "go", "fmt.Print‸(\"a\")\n", "ln(\"a\")", "ln"},
  });
}

TEST_CASE("open strings end on their line") {
  check({
      {"closed", "rust", "    println!(\"‸\n    f();\n", "Hello\");", "Hello\");"},
      {"left open", "rust", "    println!(\"‸\n    f(\"a\");\n", "Hello", ""},
      {"an attribute left open", "html", "<meta name=\"‸\n<link rel=\"a\">\n", "viewport", ""},
      {"closed behind the cursor", "rust", "println!(\"‸\");\n", "Hello", "Hello"},
      {"one of several lines", "javascript", "const a = `‸\n", "b", "b"},
      {"documentation", "python", "def f():\n    \"\"\"‸\n", "Adds.", "Adds."},
      {"without a grammar", "toml", "version = \"‸\n", "1.0", ""},
      {"without a grammar, closed", "toml", "version = \"‸\n", "1.0\"", "1.0\""},
      {"prose", "markdown", "He said \"‸\n", "no", "no"},
  });
}

TEST_CASE("without a grammar, an answer breaks no brackets") {
  check({
      {"a closer too many", "swift", "let a = f(‸, 2)\n", "g(1", ""},
      {"its own closer", "swift", "let a = f(‸\n", "1)", "1)"},
      {"one that nothing opened", "swift", "let a = ‸\n", "1)", ""},
      {"one of a line above", "swift", "let a = f(\n  1,\n  ‸\n", "2)", "2)"},
  });
}

TEST_CASE("indentation is that of the place") {
  check({
      {"the cursor's own tab", "c", "int f(int a)\n{\n\t‸\n}\n", "if (a)\n        g();\n    return 1;",
       "if (a)\n\t\tg();\n\treturn 1;"},
      {"the cursor's own tab in a file of blanks", "python", "def f():\n    pass\n\ndef g():\n\t‸\n",
       "if a:\n        b()", "if a:\n\t\tb()"},
      {"the cursor's own blanks in a file of tabs", "c", "void f()\n{\n\ta();\n\tb();\n}\nvoid g()\n{\n    ‸\n}\n",
       "if (a)\n\t\tb();", "if (a)\n        b();"},
      {"the lines around", "go", "func f() {\n\ta()\n}\n‸\n", "func g() {\n    b()\n}", "func g() {\n\tb()\n}"},
      {"the language's custom", "go", "package a\n\nimport ‸\n", "(\n    \"fmt\"\n)", "(\n\t\"fmt\"\n)"},
      {"the custom of one without a grammar", "makefile", "all:\n‸\n", "    cc a.c", "\tcc a.c"},
      {"a comment's own blank", "c", "void f()\n{\n\t‸\n}\n", "/* a\n     * b */", "/* a\n\t * b */"},
      {"nothing known", "javascript", "function f() {‸}\n", "\n  a();\n", "\n  a();"},
      {"blanks at the ends of lines", "c", "void f() {\n  ‸\n}\n", "a();  \n  \n  b();", "a();\n\n  b();"},
  });
}

TEST_CASE("the editor says how a new file is indented") {
  const Case c{"", "javascript", "‸\n", "function f() {\n    a();\n}", ""};
  CHECK(fitted_at(c, IndentStyle{true, 8}) == "function f() {\n\ta();\n}");
  CHECK(fitted_at(c) == c.answer);
  // What stands in the file counts before it.
  const Case seen{"", "javascript", "if (a) {\n    b();\n}\n‸\n", "if (c) {\n    d();\n}", ""};
  CHECK(fitted_at(seen, IndentStyle{true, 8}) == seen.answer);
}

}  // namespace
}  // namespace cinnabar::daemon
