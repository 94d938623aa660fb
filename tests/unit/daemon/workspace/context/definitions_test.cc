// What a file defines, language by language.
#include "daemon/workspace/context/definitions.h"

#include <catch2/catch.hpp>

using namespace cinnabar;
using namespace cinnabar::daemon;

namespace {

struct Case {
  const char* language;
  const char* text;
  std::vector<std::pair<const char*, const char*>> names;  // and what is shown of each
};

const Case kCases[] = {
    {"python",
     "def scaled(value, factor=2):\n    return value * factor\n\nclass Shop:\n    def price(self) -> int:\n        "
     "return 1\n",
     {{"scaled", "def scaled(value, factor=2):"},
      {"Shop", "class Shop:\n    def price(self) -> int:\n        return 1"},
      {"price", "def price(self) -> int:"}}},
    {"cpp",
     "namespace a {\nint* scaled(int value) { return nullptr; }\nstruct Point { int x; };\nvoid Shop::open() {}\n"
     "struct Point* other;\n}\n",
     {{"scaled", "int* scaled(int value)"}, {"Point", "struct Point { int x; }"}, {"open", "void Shop::open()"}}},
    {"typescript",
     "export interface Point { x: number }\nexport const scaled = (value: number) => value * 2;\ntype Id = string;\n"
     "class Shop { price(): number { return 1; } }\n",
     {{"Point", "interface Point { x: number }"},
      {"scaled", "const scaled = (value: number) =>"},
      {"Id", "type Id = string;"},
      {"Shop", "class Shop { price(): number { return 1; } }"},
      {"price", "price(): number"}}},
    {"go",
     "package a\n\ntype Point struct {\n\tX int\n}\n\nfunc (p Point) Scaled(by int) int {\n\treturn p.X * by\n}\n",
     {{"Point", "Point struct {\n\tX int\n}"}, {"Scaled", "func (p Point) Scaled(by int) int"}}},
    {"rust",
     "pub struct Point { x: i32 }\nimpl Point {\n    pub fn scaled(&self, by: i32) -> i32 { self.x * by }\n}\n",
     {{"Point", "pub struct Point { x: i32 }"}, {"scaled", "pub fn scaled(&self, by: i32) -> i32"}}},
    {"java",
     "class Shop {\n  Shop(int n) { }\n  int price(int id) { return 1; }\n}\n",
     {{"Shop", "class Shop {\n  Shop(int n) { }\n  int price(int id) { return 1; }\n}"},
      {"Shop", "Shop(int n)"},
      {"price", "int price(int id)"}}},
    {"c",
     "typedef struct { int x; } point;\nstatic int scaled(int v) { return v; }\n",
     {{"point", "typedef struct { int x; } point;"}, {"scaled", "static int scaled(int v)"}}},
};

std::vector<context::Definition> definitions(const char* language, const std::string& text) {
  const auto tree = syntax::Tree::parse(*syntax::find_language(language), text, LineIndex(text));
  REQUIRE(tree);
  return context::definitions_in(*tree);
}

}  // namespace

TEST_CASE("definitions: functions by their signature, small types whole") {
  for (const Case& c : kCases) {
    INFO(c.language);
    const auto found = definitions(c.language, c.text);
    REQUIRE(found.size() == c.names.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      CHECK(found[i].name == c.names[i].first);
      CHECK(found[i].head == c.names[i].second);
    }
  }
}

TEST_CASE("definitions: of a large type the header, which says that there is more") {
  std::string text = "class Shop(Base):\n";
  for (int i = 0; i < 30; ++i) text += "    def price" + std::to_string(i) + "(self, item):\n        return item\n";
  const auto found = definitions("python", text);
  REQUIRE(found.size() == 31);
  CHECK(found[0].head == "class Shop(Base):");
  CHECK(found[0].large_type);
  CHECK_FALSE(found[1].large_type);
}
