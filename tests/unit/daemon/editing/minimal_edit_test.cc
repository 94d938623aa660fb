// The least that has to be replaced: two texts, and the changes between them.
#include "daemon/editing/minimal_edit.h"

#include <catch2/catch.hpp>
#include <random>

using namespace cinnabar;
using namespace cinnabar::daemon;

TEST_CASE("lines that stay are not touched, and within a line only what differs") {
  struct Case {
    const char *before, *after;
    std::vector<TextChange> expected;
  };
  const Case cases[] = {
      {"a\nb\nc\n", "a\nb\nc\n", {}},
      {"a\nb\nc\n", "a\nx\nc\n", {{2, 3, "x"}}},
      {"x = 1\n", "x = 12\n", {{5, 5, "2"}}},
      {"a\nc\n", "a\nb\nc\n", {{2, 2, "b\n"}}},
      {"a\nb\nc\n", "a\nc\n", {{2, 4, ""}}},
      {"one\ntwo\nthree\n", "One\ntwo\nThree\n", {{0, 1, "O"}, {8, 9, "T"}}},
      {"x = \"\xC3\xA4\"\n", "x = \"\xC3\xB6\"\n", {{5, 7, "\xC3\xB6"}}},  // never half a character
      {"", "a\n", {{0, 0, "a\n"}}},
      {"a", "", {{0, 1, ""}}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.before, c.after);
    CHECK(minimal_changes(c.before, c.after) == c.expected);
  }
}

TEST_CASE("the changes make the one text of the other, in order and apart") {
  std::mt19937 random(7);
  const auto text = [&] {
    std::string out;
    for (std::size_t lines = random() % 9; lines > 0; --lines)
      out += std::string(1 + random() % 3, static_cast<char>('a' + random() % 3)) + "\n";
    if (random() % 3 == 0) out += "tail";
    return out;
  };
  for (int i = 0; i < 2'000; ++i) {
    const std::string before = text(), after = text();
    const auto changes = minimal_changes(before, after);
    REQUIRE(with_changes(before, changes) == after);
    for (std::size_t c = 1; c < changes.size(); ++c) REQUIRE(changes[c - 1].end <= changes[c].begin);
  }
}
