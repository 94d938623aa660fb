// Where an answer ends, by the tree: sources with a cursor, what a model might write there, and where that ends.
#include "daemon/syntax/answer_end.h"

#include <catch2/catch.hpp>

#include "daemon/completion/ask.h"
#include "engine/decoding/hole_end.h"
#include "tests/unit/daemon/syntax/plan_cases.h"

using namespace cinnabar;
namespace syntax = cinnabar::daemon::syntax;

namespace {

struct EndCase {
  const char* language;
  const char* source;  // ‸ is the cursor
  const char* answer;  // ⏹ is where it ends; none: it has not ended yet
};

const EndCase kCases[] = {
    // The end of a line.
    {"python", "x = ‸\ny = 1\n", "a + b⏹\ny = 1\n"},
    {"python", "x = ‸\ny = 1\n", "a + b"},
    {"python", "x = ‸", "call(\n    a,\n    b,\n)⏹\nz = 2\n"},
    {"python", "x = ‸", "\"\"\"one\ntwo\"\"\"⏹\nz\n"},
    {"javascript", "const f = ‸\n", "(a) => {\n  return a;\n};⏹\nconst g = 1;\n"},
    {"javascript", "const f = ‸\n", "xs\n  .map(a)\n  .filter(b);⏹\nconst g = 1;\n"},
    {"javascript", "const s = ‸\n", "`one\ntwo`;⏹\nnext();\n"},
    {"javascript", "const s = ‸\n", "'it''s ( no bracket';⏹\nnext();\n"},
    {"javascript", "f(a)\n‸", "g(b)⏹\nh(c)\n"},
    {"rust", "fn f<'a>(x: &'a str) {\n    let a = ‸\n}\n",
     "x.chars()\n        .rev()\n        .collect();⏹\n    b();\n"},
    {"rust", "fn f() {\n    let c = ‸\n}\n", "'{';⏹\n    b();\n"},
    {"go", "func f() {\n\tx := ‸\n}\n", "g(func() {\n\t\th()\n\t})⏹\n\treturn\n"},
    {"cpp", "int a = ‸\n", "f(1,\n        2);⏹\nint b;\n"},
    {"cpp", "auto s = ‸\n", "R\"(one\n  { two)\";⏹\nint b;\n"},
    {"java", "class A { void f() {\n    int a = ‸\n} }\n", "b\n        + c;⏹\n    int d;\n"},
    {"c", "int f(int a) {\n  return ‸\n}\n", "a /* ; ( */ + 1;⏹\n}\n"},
    {"ruby", "x = ‸\n", "a if b⏹\ny = 1\n"},
    {"ruby", "x = ‸\n", "xs.map do |a|\n  a + 1\nend⏹\ny = 1\n"},
    {"lua", "local f = ‸\n", "function(a)\n  return a\nend⏹\nlocal g\n"},
    {"shellscript", "x=‸\n", "$(ls |\n  wc)⏹\ny=1\n"},
    {"kotlin", "val a = ‸\n", "xs.map {\n    it + 1\n}⏹\nval b = 1\n"},
    {"php", "<?php\n$a = ‸\n", "['x' => 1,\n  'y' => 2];⏹\n$b = 1;\n"},
    {"csharp", "class A { void F() {\n    var a = ‸\n} }\n",
     "xs\n        .Select(x => x)\n        .ToList();⏹\n    G();\n"},
    // Statements that open a body.
    {"python", "def f(a):\n    x = 1\n    ‸\n", "if a:\n        return 1\n    else:\n        b()⏹\n    return 2\n"},
    {"python", "‸\n", "def f(a):\n    return a⏹\n\n\ndef g():\n"},
    {"python", "def f(a):\n    x = 1\n    ‸\n", "for b in a:\n        c(b)⏹\n    return 2\n"},
    {"python", "def f(a):\n    x = 1\n    ‸\n", "y = {a: b}⏹\n    return 2\n"},
    {"javascript", "function f(a) {\n  g();\n  ‸\n}\n", "if (a) {\n    b();\n  }⏹\n  c();\n}\n"},
    {"javascript", "function f(a) {\n  g();\n  ‸\n}\n", "try {\n    b();\n  } catch (e) {\n    c();\n  }⏹\n  d();\n"},
    {"csharp", "class A\n{\n    void F()\n    {\n        G();\n        ‸\n    }\n}\n",
     "if (a)\n        {\n            B();\n        }⏹\n        C();\n"},
    {"csharp", "class A\n{\n    void F()\n    {\n        G();\n        ‸\n    }\n}\n",
     "try\n        {\n            B();\n        }\n        catch (E)\n        {\n        }⏹\n        C();\n"},
    {"c", "int f(int a) {\n  g();\n  ‸\n}\n", "for (int i = 0; i < a; ++i) {\n    g();\n  }⏹\n  return 0;\n}\n"},
    {"ruby", "def f(a)\n  b\n  ‸\nend\n", "if a\n    c\n  else\n    d\n  end⏹\n  e\nend\n"},
    {"lua", "local function f(a)\n  b()\n  ‸\nend\n", "while a do\n    c()\n  end⏹\n  d()\nend\n"},
    {"shellscript", "f() {\n  b\n  ‸\n}\n", "for x in a b; do\n    c\n  done⏹\n  d\n}\n"},
    {"java", "class A {\n    int a;\n\n    ‸\n}\n", "int f() {\n        return a;\n    }⏹\n\n    int g() {\n"},
    {"rust", "impl A {\n    fn a() {}\n\n    ‸\n}\n", "fn f(&self) -> i32 {\n        1\n    }⏹\n\n    fn g() {\n"},
    // Bodies.
    {"python", "def f(a):\n    ‸\n\ndef g():\n    pass\n", "b = a\n    return b⏹\n\ndef h():\n"},
    {"python", "def f(a):‸\n", "\n    b = a\n\n    return b⏹\n\nx = 1\n"},
    {"python", "class A:\n    def f(self):\n        ‸\n\n    def g(self):\n        pass\n",
     "return 1⏹\n\n    def h(self):\n"},
    {"python", "if a:\n    ‸\n", "b()⏹\nelse:\n    c()\n"},
    {"javascript", "function f(a) {\n  ‸\n}\n",
     "const b = a;\n  if (b) {\n    c();\n  }\n  return b;⏹\n}\n\nfunction g() {\n"},
    {"javascript", "function f(a) {‸}\n", "\n  return a;\n⏹}\n"},
    {"javascript", "xs.map((x) => {‸});\n", " return x; ⏹});\n"},
    {"javascript", "function f(a) {\n  ‸\n\nfunction g() {\n}\n", "return a;\n}⏹\n\nfunction h() {\n"},
    {"javascript", "function f(a) {\n  if (a) {\n    ‸\n}\n", "b();\n  }⏹\n  c();\n}\n"},
    {"go", "func f(a int) int {\n\t‸\n}\n", "return a⏹\n}\n\nfunc g() {\n"},
    {"cpp", "namespace a {\n‸\n}\n", "int f();\n\nint g();⏹\n}\n"},
    {"cpp", "int f(int a) {\n  ‸\n}\n", "#ifdef A\n  return 1;\n#endif\n  return 2;⏹\n}\n"},
    {"ruby", "def f(a)\n  ‸\nend\n", "a + 1⏹\nend\n\ndef g\n"},
    {"ruby", "def f(a)\n  ‸\n\ndef g\nend\n", "a + 1\nend⏹\n\ndef h\n"},
    {"lua", "local function f(a)\n  ‸\nend\n", "if a then return 1 end\n  return 2⏹\nend\n"},
    {"shellscript", "f() {\n  ‸\n}\n", "echo \"}\"\n  ls⏹\n}\n\ng() {\n"},
    {"css", "a {\n  ‸\n}\n", "color: red;\n  width: 1px;⏹\n}\n\nb {\n"},
    {"rust", "fn f(a: E) {\n    match a {\n        ‸\n    }\n}\n", "E::A => 1,\n        E::B => 2,⏹\n    }\n}\n"},
    // Brackets.
    {"python", "print(‸)\n", "a, (b)⏹)\nx\n"},
    {"python", "print(‸)\n", "\"(:\", b⏹)\n"},
    {"python", "call(\n    a,\n    ‸\n)\n", "b,\n    c=1,⏹\n)\n"},
    {"python", "x = call(a, ‸\ny = 1\n", "b,\n         c)⏹\ny = 1\n"},
    {"python", "x = call(a, ‸, c)\n", "b[(1)]⏹, c)\ny\n"},
    {"javascript", "f(a, ‸);\n", "(b) => {\n  c(b);\n}⏹);\n"},
    {"javascript", "const o = {\n  a: 1,\n  ‸\n};\n", "b: [2],\n  c: 3,⏹\n};\n"},
    {"json", "{\n  \"a\": 1,\n  ‸\n}\n", "\"b\": {\n    \"c\": 2\n  }⏹\n}\n"},
    {"html", "<a ‸></a>\n", "href=\"x\"⏹>b</a>\n"},
    {"go", "\tf(‸)\n", "\"a\", `b)`⏹)\n"},
    // Strings and comments.
    {"python", "x = \"a ‸\"\n", "b \\\" c⏹\"\n"},
    {"python", "x = 1  # a ‸\n", "because of b⏹\ny = 2\n"},
    {"python", "def f():\n    \"\"\"‸\"\"\"\n    return 1\n", "Says one.\n\n    More.\n    ⏹\"\"\"\n"},
    {"javascript", "/**\n * ‸\n */\nfunction f() {}\n", "Does it.\n * @returns nothing⏹\n */\n"},
    {"rust", "/// ‸\nfn f() {}\n", "Does it.\n///\n/// More.⏹\nfn f() {\n"},
    {"c", "f(); // ‸\n", "does it⏹\ng();\n"},
    // A string that no quote closes on its line: what closes it and its call is the answer's.
    {"rust", "fn f() {\n    println!(\"‸\n    let a = \"b\";\n    println!(\"{}\", g(a));\n}\n",
     "{}\", g(b));⏹\n    h();\n"},
    {"html", "<p>\n<b c=\"‸\n<d e=\"f\"></d>\n</p>\n", "g\"></b>⏹\n<h>\n"},
    {"python", "with open(a, \"‸\n    f(\"b\")\n", "r\") as c:⏹\n    d()\n"},
};

struct Prepared {
  std::string source, answer;
  std::size_t cursor = 0;
  std::optional<std::size_t> end;
};

Prepared prepare(const EndCase& c) {
  Prepared p{c.source, c.answer, 0, {}};
  const std::string cursor = "‸", end = "⏹";
  p.cursor = p.source.find(cursor);
  p.source.erase(p.cursor, cursor.size());
  if (const auto at = p.answer.find(end); at != std::string::npos) {
    p.end = at;
    p.answer.erase(at, end.size());
  }
  return p;
}

}  // namespace

TEST_CASE("an answer ends where its hole does") {
  for (const EndCase& c : kCases) {
    const Prepared p = prepare(c);
    INFO(c.language << "\n" << c.source << "\nanswer: " << c.answer);
    const LineIndex lines(p.source);
    const auto tree = syntax::Tree::parse(*syntax::find_language(c.language), p.source, lines);
    REQUIRE(tree);
    const auto plan = syntax::plan_at(*tree, p.cursor);
    REQUIRE(plan.holes.size() == 1);
    INFO(syntax::describe(plan, p.source));
    // By one rule or the other, the shorter one, as the engine does it; byte by byte, as tokens come.
    const auto& hole = plan.holes.front();
    syntax::AnswerEnd by_tree(*tree, hole);
    const auto by_text =
        engine::describe_hole(p.source.substr(0, hole.begin), p.source.substr(hole.end), daemon::end_rule(hole));
    std::optional<std::size_t> found;
    for (std::size_t length = 1; length <= p.answer.size() && !found; ++length) {
      const std::string text = p.answer.substr(0, length);
      found = engine::find_hole_end(by_text, text);
      if (const auto other = by_tree(text)) found = std::min(found.value_or(length), *other);
    }
    CHECK(found.has_value() == p.end.has_value());
    CHECK(p.answer.substr(0, found.value_or(0)) == p.answer.substr(0, p.end.value_or(0)));
    // Text that does not continue the last one is parsed anew.
    if (p.end) {
      by_tree("(((((");
      const auto again = by_tree(p.answer);
      CHECK((!again || *again <= p.answer.size()));
    }
  }
}
