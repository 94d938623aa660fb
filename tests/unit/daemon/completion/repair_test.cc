// What is asked again of an answer that does not parse, and which of several answers counts.
#include "daemon/completion/repair.h"

#include <catch2/catch.hpp>

#include "daemon/completion/ask.h"

using namespace cinnabar;
using namespace cinnabar::daemon::syntax;

namespace {

// An answer whose tokens are given, with the probability of each; ids are the tokens' numbers from `first` on.
engine::InfillAnswer answer(const std::vector<std::pair<std::string, float>>& tokens, std::int32_t first = 0) {
  engine::InfillAnswer out;
  out.reason = engine::StopReason::hole_end;
  for (const auto& [text, probability] : tokens) {
    out.text += text;
    out.path.push_back({first + out.tokens++, probability, out.text.size()});
  }
  return out;
}

// A document with its cursor at |, and the repair of its hole.
struct Place {
  explicit Place(std::string source, int most = 2, const char* language = "javascript") {
    const std::size_t cursor = source.find('|');
    text = source.erase(cursor, 1);
    lines = LineIndex(text);
    tree = Tree::parse(*find_language(language), text, lines);
    REQUIRE(tree);
    const Hole hole = plan_at(*tree, cursor).holes.front();
    repair.emplace(*tree, lines, hole, daemon::ask_for(whole_region(text, *find_language(language)), hole, {}).request,
                   most);
  }
  std::string text;
  LineIndex lines;
  TreePtr tree;
  std::optional<Repair> repair;
};

using Ids = std::vector<std::int32_t>;

Ids kept(const engine::InfillRequest& request) {
  Ids ids;
  for (const auto& token : request.resume.tokens) ids.push_back(token.id);
  return ids;
}

TEST_CASE("an answer goes wrong at the least sure of the tokens that touch what is wrong") {
  struct Case {
    const char* what;
    std::vector<float> probabilities;  // of tokens of two bytes each
    std::vector<Span> wrong;
    std::vector<std::size_t> tried;
    std::optional<std::size_t> found;
  };
  const Case cases[] = {
      {"nothing is wrong", {0.1f, 0.9f}, {}, {}, std::nullopt},
      {"one token", {0.1f, 0.1f, 0.9f, 0.1f, 0.1f, 0.1f}, {{5, 5}}, {}, 2},
      {"the least sure", {0.9f, 0.5f, 0.2f, 0.8f}, {{0, 8}}, {}, 2},
      {"not one in front", {0.1f, 0.5f, 0.7f, 0.8f}, {{5, 8}}, {}, 2},
      {"something is missing at the end", {0.1f, 0.2f, 0.9f, 0.8f}, {{8, 8}}, {}, 3},
      {"another one than before", {0.9f, 0.5f, 0.2f, 0.8f}, {{0, 8}}, {2}, 1},
      {"all were tried", {0.9f, 0.5f}, {{0, 4}}, {0, 1}, std::nullopt},
  };
  for (const Case& c : cases) {
    INFO(c.what);
    std::vector<engine::InfillToken> path;
    for (std::size_t i = 0; i < c.probabilities.size(); ++i)
      path.push_back({static_cast<std::int32_t>(i), c.probabilities[i], 2 * i + 2});
    CHECK(turning_point(path, c.wrong, c.tried) == c.found);
  }
}

TEST_CASE("what parses is not asked for again") {
  Place place("f(|);\n");
  CHECK(place.repair->take(answer({{"a", 0.1f}, {", b", 0.1f}})));
  CHECK(place.repair->verdict().text == "a, b");
  CHECK(place.repair->repairs() == 0);
  CHECK_FALSE(place.repair->repaired());
}

TEST_CASE("what does not parse goes on from where it went wrong, and the better answer counts") {
  Place place("f(|);\n");
  REQUIRE_FALSE(place.repair->take(answer({{"a", 0.9f}, {" +", 0.8f}, {" )", 0.2f}, {" +", 0.9f}})));
  CHECK(kept(place.repair->request()) == Ids{0, 1});
  CHECK(place.repair->request().resume.tokens[1].probability == 0.8f);  // as sure as it was
  CHECK(place.repair->request().resume.forbidden == Ids{2});
  CHECK(place.repair->take(answer({{"a", 1}, {" +", 1}, {" b", 0.5f}})));
  CHECK(place.repair->verdict().text == "a + b");
  CHECK(place.repair->answer().text == "a + b");
  CHECK(place.repair->repaired());
  CHECK(place.repair->repairs() == 1);
}

TEST_CASE("it is tried again so many times, and then cut or withheld") {
  for (const int most : {0, 1, 2, 3}) {
    Place place("function f() {\n  |\n}\n", most);
    int asked = 1;
    while (!place.repair->take(answer({{"g();", 0.9f}, {"\n", 0.9f}, {"  h(", 0.4f}, {" }} +", 0.6f}}, asked * 100)))
      ++asked;
    CHECK(asked <= most + 1);
    CHECK(place.repair->repairs() == asked - 1);
    CHECK(place.repair->verdict().text == "g();");
    CHECK_FALSE(place.repair->repaired());
  }
}

TEST_CASE("an answer that was stopped in its midst is not asked for again") {
  for (const auto reason : {engine::StopReason::length, engine::StopReason::deadline, engine::StopReason::cancelled}) {
    Place place("f(|);\n");
    auto stopped = answer({{"a", 0.9f}, {" )", 0.2f}, {" +", 0.9f}});
    stopped.reason = reason;
    CHECK(place.repair->take(stopped));
  }
}

TEST_CASE("nor one whose shown text is another than its own, nor one without tokens") {
  Place place("f(|);\n");
  const auto wrong = answer({{"\r", 0.9f}, {"a )", 0.2f}, {" +", 0.3f}});
  CHECK(place.repair->take(wrong, "a ) +"));
  CHECK(place.repair->verdict().withheld);
  Place other("f(|);\n");
  engine::InfillAnswer bare;
  bare.reason = engine::StopReason::hole_end;
  bare.text = "a ) +";
  CHECK(other.repair->take(bare));
}

TEST_CASE("a repaired answer that is nothing leaves the first") {
  Place place("function f() {\n  |\n}\n");
  REQUIRE_FALSE(place.repair->take(answer({{"g();", 0.9f}, {"\n", 0.9f}, {"  h(", 0.4f}, {" }} +", 0.6f}})));
  place.repair->take(answer({{" ", 0.9f}}), "");
  CHECK(place.repair->verdict().text == "g();");
  CHECK(place.repair->answer().path.size() == 4);
}

}  // namespace
