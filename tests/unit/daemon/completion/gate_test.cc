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
    CHECK(is_sure("abcdefg", sure, eagerness));
  CHECK(is_sure("abcdefghi", wild, Eagerness::eager));
  CHECK_FALSE(is_sure("abcdefghi", wild, Eagerness::balanced));
  CHECK_FALSE(is_sure("abcdefghi", wild, Eagerness::quiet));
  for (float p = 0.01f; p < 1; p += 0.01f) {
    const auto one = tokens({{1, p}, {1, p}});
    INFO(p);
    if (is_sure("ab", one, Eagerness::quiet)) CHECK(is_sure("ab", one, Eagerness::balanced));
  }
}

TEST_CASE("a model's own weights and thresholds judge its answers") {
  const auto doubtful = tokens({{3, 0.9f}, {4, 0.3f}});
  GateWeights trusting;
  trusting.constant = 5;
  CHECK(sureness(doubtful, trusting) > 0.9);
  CHECK_FALSE(is_sure("abcdefg", doubtful, Eagerness::quiet));
  CHECK(is_sure("abcdefg", doubtful, Eagerness::quiet, trusting));
  trusting.quiet = 0.9999;
  CHECK_FALSE(is_sure("abcdefg", doubtful, Eagerness::quiet, trusting));
  CHECK(sure_bytes("abcdefg", doubtful, Eagerness::quiet, nullptr, trusting) == 0);
  CHECK(sure_bytes("abcdefg", doubtful, Eagerness::balanced, nullptr, trusting) == 7);
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

TEST_CASE("an answer is judged by its lines") {
  struct Case {
    const char* what;
    std::string text;
    std::vector<float> lines;  // each one token, with its line's end
    std::string shown;
  };
  const Case cases[] = {
      {"as long as it likes",
       "a = 1\nb = 2\nc = 3\nd = 4\ne = 5\nf = 6\n",
       {0.8f, 0.8f, 0.8f, 0.8f, 0.8f, 0.8f},
       "a = 1\nb = 2\nc = 3\nd = 4\ne = 5\nf = 6\n"},
      {"the first line counts most", "a = 1\nb = 2\nc = 3\n", {0.1f, 0.9f, 0.9f}, ""},
      {"a guess ends it", "a = 1\nb = 2\nc = 3\n", {0.9f, 0.9f, 0.02f}, "a = 1\nb = 2"},
      {"not behind a header", "if (a) {\n  b();\n}\nc();\nd(e);\n", {0.9f, 0.02f, 0.9f, 0.9f, 0.9f}, ""},
      {"behind its body", "if (a) {\n  b();\n}\nc();\nd(e);\n", {0.9f, 0.9f, 0.9f, 0.02f, 0.9f}, "if (a) {\n  b();\n}"},
  };
  for (const Case& c : cases) {
    INFO(c.what);
    std::vector<engine::InfillToken> path;
    std::size_t end = 0;
    for (const float probability : c.lines) {
      end = c.text.find('\n', end) + 1;
      path.push_back({0, probability, end, std::max(2 * probability - 1, 0.0f)});
    }
    CHECK(c.text.substr(0, sure_bytes(c.text, path, Eagerness::balanced)) == c.shown);
  }
}

TEST_CASE("of an unsure answer the name that it begins with, if that is sure") {
  struct Case {
    const char* text;
    std::vector<std::pair<std::size_t, float>> tokens;  // bytes, probability
    const char* shown;
  };
  const Case cases[] = {
      {"ses(file_path: Path):", {{3, 0.97f}, {18, 0.3f}}, "ses"},
      {"ses(file_path: Path):", {{3, 0.9f}, {18, 0.3f}}, ""},
      {"todos.filter((todo) => due)", {{5, 0.99f}, {7, 0.99f}, {15, 0.5f}}, "todos.filter"},
      {"std::sort(begin, end)", {{3, 0.99f}, {6, 0.99f}, {12, 0.5f}}, "std::sort"},
      {"loadData()", {{4, 0.99f}, {4, 0.5f}, {2, 0.9f}}, ""},  // half a word
      {"x = 1", {{1, 0.99f}, {4, 0.5f}}, ""},                  // too short to be worth it
      {" name = 1", {{5, 0.99f}, {4, 0.5f}}, " name"},
      {"\"Invalid number\"", {{8, 0.99f}, {8, 0.5f}}, ""},
      {"f(x)", {{4, 0.99f}}, ""},
      {"", {}, ""},
  };
  for (const Case& c : cases) {
    INFO(c.text);
    std::vector<engine::InfillToken> path;
    std::size_t end = 0;
    for (const auto& [bytes, probability] : c.tokens)
      path.push_back({0, probability, end += bytes, std::max(2 * probability - 1, 0.0f)});
    const std::string text = c.text;
    CHECK(text.substr(0, sure_name_bytes(text, path, Eagerness::balanced)) == c.shown);
    CHECK(sure_name_bytes(text, path, Eagerness::quiet) == 0);
  }
}

TEST_CASE("names of eagerness") {
  CHECK(parse_eagerness("balanced") == Eagerness::balanced);
  CHECK(parse_eagerness("eager") == Eagerness::eager);
  CHECK(parse_eagerness("quiet") == Eagerness::quiet);
  CHECK_FALSE(parse_eagerness("loud"));
}
