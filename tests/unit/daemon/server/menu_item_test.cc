#include "daemon/server/menu_item.h"

#include <catch2/catch.hpp>

namespace cinnabar::daemon {
namespace {

TEST_CASE("an answer as an entry of the menu") {
  struct Case {
    const char* before;  // on the line
    const char* behind;
    const char* text;
    std::size_t replaced;
    const char* label;
    const char* filter_text;
    const char* new_text;
    unsigned begin, end;  // columns, utf-16
    bool documented;
  };
  const Case cases[] = {
      {"x = pri", "", "nt(x)", 0, "print(x)", "print(x)", "print(x)", 4, 7, false},
      {"x = ", "", "y + 1", 0, "y + 1", "y + 1", "y + 1", 4, 4, false},
      {"f(", ")", "a, b", 0, "a, b", "a, b", "a, b", 2, 2, false},
      {"f(a", "b)", "bc", 1, "abc", "abc", "abc", 2, 4, false},
      {"x = größe", "", "_1", 0, "größe_1", "größe_1", "größe_1", 4, 9, false},
      {"𝒳 + a", "", "b", 0, "ab", "ab", "ab", 5, 6, false},
      {"def f():", "", "\n    return 1\n", 0, "return 1", "return 1", "\n    return 1\n", 8, 8, true},
      {"if x", "", ":\r\n    y()", 0, "x:", "x:\r", "x:\r\n    y()", 3, 4, true},
      {"", "", "  a", 0, "a", "  a", "  a", 0, 0, false},
  };
  for (const auto& c : cases) {
    INFO(c.before << "|" << c.behind << " <- " << c.text);
    const std::string text = "first\n" + std::string(c.before) + c.behind + "\nlast";
    const DocumentSnapshot document({"file:///a", "python", 1, 1}, text, LineIndex(text));
    const auto item =
        menu_item(document, 6 + std::string_view(c.before).size(), c.text, c.replaced, lsp::PositionEncoding::utf16);
    CHECK(item.label == c.label);
    CHECK(item.filter_text == c.filter_text);
    CHECK(item.new_text == c.new_text);
    CHECK(item.range.start.line == 1);
    CHECK(item.range.end.line == 1);
    CHECK(item.range.start.character == c.begin);
    CHECK(item.range.end.character == c.end);
    CHECK(item.documentation == (c.documented ? c.new_text : ""));
  }
}

}  // namespace
}  // namespace cinnabar::daemon
