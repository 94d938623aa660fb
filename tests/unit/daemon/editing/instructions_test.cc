#include "daemon/editing/instructions.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "base/line_index.h"
#include "daemon/syntax/language.h"

namespace cinnabar::daemon {
namespace {

bool is_offered(std::string_view title, const char* name, const std::string& text, bool with_tree = true) {
  const LineIndex lines(text);
  const auto tree = with_tree ? syntax::Tree::parse(*syntax::find_language(name), text, lines) : nullptr;
  for (const Instruction& one : instructions()) {
    if (one.title == title && is_fit(one, name, text, {0, text.size()}, tree.get())) return true;
  }
  return false;
}

TEST_CASE("an instruction is offered where there is something that it speaks of") {
  struct Case {
    const char* title;
    const char* language;
    std::string text;
    bool offered;
  };
  const std::vector<Case> cases = {
      {"Use a plain loop", "python", "def f(a):\n    for b in a:\n        g(b)\n", false},
      {"Use a plain loop", "python", "def f(a):\n    return a  # one for all\n", false},
      {"Use a plain loop", "python", "def f(a):\n    return [b for b in a]\n", true},
      {"Use a plain loop", "python", "def f(a):\n    return sum(b for b in a)\n", true},
      {"Use a plain loop", "javascript", "for (const b of a) g(b);\n", false},
      {"Use a plain loop", "javascript", "a.map(g);\n", true},
      {"Use a comprehension", "python", "def f(a, b):\n    a.append(b)\n", false},
      {"Use a comprehension", "python", "def f(a, b):\n    for c in b:\n        a.append(c)\n", true},
      {"Use array methods", "typescript", "// wait for it\ng();\n", false},
      {"Use array methods", "typescript", "for (const b of a) c.push(b);\n", true},
      {"Use guard clauses", "python", "a = b  # if it is there\n", false},
      {"Use guard clauses", "rust",
       "fn f(a: i32) -> i32 {\n    if a > 1 {\n        2\n    } else {\n        3\n    }\n}\n", true},
      {"Use streams", "java", "class A { void f() { for (int b : c) { g(b); } } }\n", true},
      {"Use iterators", "rust", "fn f() { for b in c { g(b); } }\n", true},
  };
  for (const Case& one : cases) {
    INFO(one.title << ": " << one.text);
    CHECK(is_offered(one.title, one.language, one.text) == one.offered);
  }
  CHECK(is_offered("Use a plain loop", "python", "for b in a:\n  g(b) for c\n", false));  // its words decide
}

}  // namespace
}  // namespace cinnabar::daemon
