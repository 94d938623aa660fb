// What belongs to a type, language by language.
#include "daemon/workspace/context/members.h"

#include <catch2/catch.hpp>

using namespace cinnabar;
using namespace cinnabar::daemon;

namespace {

struct Case {
  const char* language;
  const char* text;
  std::vector<std::pair<const char*, const char*>> members;  // owner and brief
};

const Case kCases[] = {
    {"python",
     "class Shop:\n    LIMIT = 3\n    def __init__(self, items):\n        self.items = items\n        other = 1\n"
     "    def price(self, item,\n              count=1):\n        def inner(): pass\n        self.last = item\n"
     "    @classmethod\n    def empty(cls): pass\n    def _own(self): pass\ndef free(x): pass\n",
     {{"", "Shop"},
      {"Shop", "LIMIT"},
      {"Shop", "items"},
      {"Shop", "price(item, count=1)"},
      {"Shop", "empty()"},
      {"", "free(x)"}}},
    {"go",
     "package a\n\ntype Point struct {\n\tX, Y int\n\tName string\n}\n\n"
     "func (p *Point) Scaled(by int) int { return 1 }\nfunc free() {}\n",
     {{"", "Point"}, {"Point", "X"}, {"Point", "Y"}, {"Point", "Name"}, {"Point", "Scaled(by int)"}}},
    {"rust",
     "pub struct Point<T> { x: T }\nimpl<T> Point<T> {\n  pub fn new(x: T) -> Self { Self { x } }\n"
     "  pub fn scaled(&self, by: T) -> T { by }\n}\nenum Kind { Round, Flat }\n",
     {{"", "Point"},
      {"Point", "x"},
      {"Point", "new(x: T)"},
      {"Point", "scaled(by: T)"},
      {"Kind", "Round"},
      {"Kind", "Flat"}}},
    {"java",
     "class Shop {\n  private int count, total;\n  Shop(int n) { }\n  int price(int id) { return 1; }\n}\n"
     "enum Size { SMALL, LARGE }\nclass Outer { static class Inner { } }\n",
     {{"Shop", "count"},
      {"Shop", "Shop(int n)"},
      {"Shop", "price(int id)"},
      {"Size", "SMALL"},
      {"Size", "LARGE"},
      {"Outer", "Inner"}}},
    {"cpp",
     "class Shop {\n public:\n  int price(int id) const;\n  int count_;\n};\nvoid Shop::open(bool wide) {}\n"
     "enum class Size { small, large };\n",
     {{"Shop", "price(int id)"},
      {"Shop", "count_"},
      {"Shop", "open(bool wide)"},
      {"Size", "small"},
      {"Size", "large"}}},
    {"typescript",
     "class Shop { items: string[] = []; price(id: number): number { return 1; } }\n"
     "interface Point { x: number; move(by: number): void }\n",
     {{"Shop", "items"}, {"Shop", "price(id: number)"}, {"Point", "x"}, {"Point", "move(by: number)"}}},
    {"javascript",
     "class Shop { constructor(n) { this.count = n; } price(id) { this.seen = id; } }\n",
     {{"Shop", "constructor(n)"}, {"Shop", "count"}, {"Shop", "price(id)"}}},
};

}  // namespace

TEST_CASE("members: methods with their parameters and fields, of their type") {
  for (const Case& c : kCases) {
    INFO(c.language);
    const std::string text = c.text;
    const auto tree = syntax::Tree::parse(*syntax::find_language(c.language), text, LineIndex(text));
    REQUIRE(tree);
    const auto found = context::members_in(*tree);
    std::string said, wanted;
    for (const auto& member : found) said += member.owner + " has " + member.brief + "\n";
    for (const auto& [owner, brief] : c.members) wanted += std::string(owner) + " has " + brief + "\n";
    CHECK(said == wanted);
  }
}

TEST_CASE("members: parameters that are too long end at a comma") {
  const std::string text =
      "class Shop:\n    def price(self, the_first_parameter, the_second_parameter, the_third_parameter, fourth): "
      "pass\n";
  const auto tree = syntax::Tree::parse(*syntax::find_language("python"), text, LineIndex(text));
  REQUIRE(tree);
  CHECK(context::members_in(*tree).back().brief == "price(the_first_parameter, the_second_parameter, ...)");
}

TEST_CASE("a list of members holds each once and what fits") {
  CHECK(context::listed({"a()", "b", "a()", "c(x, y)"}, 100) == "a(), b, c(x, y)");
  CHECK(context::listed({"a()", "long_name(x, y)", "b"}, 10) == "a(), b");
  CHECK(context::listed({}, 10).empty());
}
