#include "daemon/server/answer_cache.h"

#include <catch2/catch.hpp>

namespace cinnabar::daemon {
namespace {

SnapshotPtr document(const std::string& text, const std::string& uri = "file:///a") {
  return std::make_shared<const DocumentSnapshot>(DocumentSnapshot::Identity{uri, "c", 1, 1}, text, LineIndex(text));
}

// What is left of `answers` (made for `then` at "|") in `now` at "|"; "-" where nothing fits, "text~n" where n bytes
// behind the cursor are replaced.
std::string left(std::string then, const std::vector<std::string>& answers, std::string now, int asked = 1) {
  const auto cut = [](std::string& text) {
    const std::size_t at = text.find('|');
    text.erase(at, 1);
    return at;
  };
  const std::size_t begin = cut(then), cursor = cut(now);
  AnswerCache cache;
  cache.add({document(then), begin, answers, 1});
  const auto rests = cache.find(*document(now), cursor, asked);
  if (!rests) return "-";
  std::string out;
  for (const auto& rest : *rests) {
    if (!out.empty()) out += " ";
    out += rest.text;
    if (rest.replaced > 0) out += "~" + std::to_string(rest.replaced);
  }
  return out;
}

TEST_CASE("an answer fits only what it depends on") {
  AnswerCache cache;
  cache.add({document("a"), 1, {"b"}, 1, {.above = 7, .settings = 1}});
  CHECK(cache.find(*document("a"), 1, 1, {.above = 7, .settings = 1}));
  CHECK_FALSE(cache.find(*document("a"), 1, 1, {.above = 8, .settings = 1}));
  CHECK_FALSE(cache.find(*document("a"), 1, 1, {.above = 7, .settings = 2}));
  const DocumentSnapshot other({"file:///a", "lua", 1, 1}, "a", LineIndex("a"));
  CHECK_FALSE(cache.find(other, 1, 1, {.above = 7, .settings = 1}));
}

TEST_CASE("what is left of an answer while the user types") {
  struct Case {
    const char* what;
    const char* then;
    std::vector<std::string> answers;
    const char* now;
    const char* expected;
  };
  const Case cases[] = {
      {"the same place", "a|;", {"bc"}, "a|;", "bc"},
      {"along", "a|;", {"bc"}, "ab|;", "c"},
      {"all typed", "a|;", {"bc"}, "abc|;", "-"},
      {"typed beyond", "a|;", {"bc"}, "abcd|;", "-"},
      {"diverged", "a|;", {"bc"}, "ax|;", "-"},
      {"along the second", "a|;", {"bc", "xyz"}, "ax|;", "yz"},
      {"along both", "a|;", {"bc", "bd"}, "ab|;", "c d"},
      {"along, but the text before changed", "a|;", {"bc"}, "Ab|;", "-"},
      {"along, but the text behind changed", "a|;", {"bc"}, "ab|:", "-"},
      {"before the place", "aa|;", {"bc"}, "a|;", "-"},
      {"cursor elsewhere in the typed text", "a|;", {"bc"}, "a|b;", "-"},
      {"nothing known to be here", "a|;", {}, "a|;", ""},
      {"nothing known, then typed", "a|;", {}, "ab|;", "-"},
      {"several lines", "a|", {"b\nc"}, "ab\n|", "c"},
      {"the editor closed a bracket: the answer ends with it", "f|\n", {"(a, b)"}, "f(|)\n", "a, b"},
      {"the answer goes on behind the bracket", "f|\n", {"(a)[0]"}, "f(|)\n", "a)[0]~1"},
      {"nested brackets", "f|\n", {"((a), b)"}, "f(|)\n", "(a), b"},
      {"a quote", "f|\n", {"\"x\""}, "f\"|\"\n", "x"},
      {"closed what the answer does not close", "f|\n", {"(a"}, "f(|)\n", "-"},
      {"the bracket alone was the rest", "f|\n", {"()"}, "f(|)\n", "-"},
      {"other text came in behind", "f|\n", {"(a)"}, "f(|x\n", "-"},
  };
  for (const auto& c : cases) {
    INFO(c.what);
    CHECK(left(c.then, c.answers, c.now) == c.expected);
  }
}

TEST_CASE("an answer alone is not enough when several are asked for") { CHECK(left("a|", {"bc"}, "a|", 3) == "-"); }

TEST_CASE("the newest entry that fits is used, other documents' never") {
  AnswerCache cache;
  cache.add({document("a"), 1, {"old"}, 1});
  cache.add({document("a"), 1, {"new"}, 1});
  CHECK(cache.size() == 1);
  CHECK(cache.find(*document("a"), 1)->at(0).text == "new");
  CHECK_FALSE(cache.find(*document("a", "file:///b"), 1));
  cache.forget("file:///a");
  CHECK(cache.size() == 0);
}

TEST_CASE("entries and the bytes of their documents are bounded") {
  AnswerCache cache;
  for (int i = 0; i < 100; ++i) cache.add({document(std::to_string(i)), 0, {"x"}, 1});
  CHECK(cache.size() == 32);
  for (int i = 0; i < 6; ++i) cache.add({document(std::string(10 << 20, static_cast<char>('a' + i))), 0, {"x"}, 1});
  CHECK(cache.size() == 3);
  cache.add({document(std::string(40 << 20, 'z')), 0, {"x"}, 1});
  CHECK(cache.size() == 0);
}

TEST_CASE("the answer a user has left is the draft of the next") {
  AnswerCache cache;
  cache.add({document("x = ;"), 4, {"call(a)"}, 1});
  CHECK(cache.former(*document("x = ;"), 4) == "call(a)");
  CHECK(cache.former(*document("x = caX;"), 7) == "ll(a)");
  CHECK(cache.former(*document("x = X;"), 5) == "call(a)");
  CHECK(cache.former(*document("y = X;"), 5).empty());
  CHECK(cache.former(*document("x ="), 3).empty());
}

}  // namespace
}  // namespace cinnabar::daemon
