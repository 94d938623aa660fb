// Which answers are sure enough to be shown unasked.
#include "daemon/completion/gate.h"

#include <catch2/catch.hpp>

using namespace cinnabar;
using namespace cinnabar::daemon;

namespace {

// Tokens of the given lengths in bytes, each as probable as said.
std::vector<engine::InfillToken> tokens(std::initializer_list<std::pair<std::size_t, float>> sizes) {
  std::vector<engine::InfillToken> made;
  std::size_t end = 0;
  for (const auto& [size, probability] : sizes) {
    end += size;
    made.push_back({0, probability, end, std::max(2 * probability - 1, 0.0f)});
  }
  return made;
}

}  // namespace

TEST_CASE("the surer its tokens, the surer an answer") {
  const auto sure = tokens({{3, 0.99f}, {4, 0.99f}}), doubtful = tokens({{3, 0.99f}, {4, 0.3f}}),
             wild = tokens({{3, 0.2f}, {4, 0.3f}, {2, 0.1f}});
  CHECK(sureness(sure) > sureness(doubtful));
  CHECK(sureness(doubtful) > sureness(wild));
  CHECK(sureness(sure) <= 1);
  CHECK(sureness(wild) >= 0);
  CHECK(sureness(tokens({{1, 0.0f}})) >= 0);  // no logarithm of nothing
  CHECK(sureness({}) == 1);                   // nothing is known
}

TEST_CASE("the eager shows all, the quiet least") {
  const auto sure = tokens({{3, 0.99f}, {4, 0.99f}}), wild = tokens({{3, 0.2f}, {4, 0.3f}, {2, 0.1f}});
  for (const auto eagerness : {Eagerness::eager, Eagerness::balanced, Eagerness::quiet})
    CHECK(is_sure(sure, eagerness));
  CHECK(is_sure(wild, Eagerness::eager));
  CHECK_FALSE(is_sure(wild, Eagerness::balanced));
  CHECK_FALSE(is_sure(wild, Eagerness::quiet));
  for (float p = 0.01f; p < 1; p += 0.01f) {
    const auto one = tokens({{1, p}, {1, p}});
    INFO(p);
    if (is_sure(one, Eagerness::quiet)) CHECK(is_sure(one, Eagerness::balanced));
  }
}

TEST_CASE("an answer is cut in front of the line of its first doubtful token") {
  const std::string text = "a = 1\nb = wild()";
  CHECK(sure_bytes(text, tokens({{5, 0.99f}, {1, 0.99f}, {4, 0.99f}, {6, 0.05f}}), Eagerness::balanced) == 5);
  CHECK(sure_bytes(text, tokens({{5, 0.99f}, {1, 0.99f}, {4, 0.99f}, {6, 0.99f}}), Eagerness::balanced) == text.size());
  CHECK(sure_bytes(text, tokens({{5, 0.05f}, {1, 0.99f}, {4, 0.99f}, {6, 0.05f}}), Eagerness::balanced) == 0);
  CHECK(sure_bytes("b = wild()", tokens({{4, 0.99f}, {6, 0.02f}}), Eagerness::balanced) == 0);  // no whole line
  CHECK(sure_bytes(text, tokens({{5, 0.05f}, {11, 0.05f}}), Eagerness::eager) == text.size());
  CHECK(sure_bytes("", {}, Eagerness::quiet) == 0);
}

TEST_CASE("names of eagerness") {
  CHECK(parse_eagerness("balanced") == Eagerness::balanced);
  CHECK(parse_eagerness("eager") == Eagerness::eager);
  CHECK(parse_eagerness("quiet") == Eagerness::quiet);
  CHECK_FALSE(parse_eagerness("loud"));
}
