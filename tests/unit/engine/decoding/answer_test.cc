#include "engine/decoding/answer.h"

#include <catch2/catch.hpp>

#include "tests/support/byte_tokenizer.h"

namespace cinnabar::engine {
namespace {

ModelSpec spec_of(std::int32_t vocabulary) {
  ModelSpec spec;
  spec.vocabulary = vocabulary;
  spec.never_generated = {'\0', 260, 5000};
  return spec;
}

struct Fixture {
  explicit Fixture(AnswerRules rules, std::int32_t rows = 288) : answer(tokenizer, spec_of(rows), std::move(rules)) {}
  void type(std::string_view text) {
    for (const std::int32_t token : tokenizer.encode(text)) answer.append(token, 0.5f);
  }
  tests::ByteTokenizer tokenizer;
  Answer answer;
};

AnswerRules rules(std::string_view prefix, std::string_view suffix, std::string typed = "", int max_tokens = 100) {
  return {describe_hole(prefix, suffix, EndRule::line), std::move(typed), max_tokens};
}

bool allows(const std::uint64_t* bitmap, std::int32_t token) {
  return ((bitmap[token / 64] >> (token % 64)) & 1U) != 0;
}

TEST_CASE("an answer ends where the text around the hole says so, and nothing is added behind") {
  Fixture f(rules("x = ", "\n"));
  f.type("1 + 2  ");
  CHECK_FALSE(f.answer.complete());
  f.type("\ny");
  CHECK(f.answer.complete());
  CHECK(f.answer.reason() == StopReason::hole_end);
  CHECK(f.answer.text() == "1 + 2");
  CHECK(f.answer.tokens().size() == 8);
  CHECK(f.answer.probabilities().size() == 8);
  f.answer.stop(StopReason::deadline);
  CHECK(f.answer.reason() == StopReason::hole_end);
}

TEST_CASE("an answer says how sure the model was of each token, and where in the text it ends") {
  Fixture f(rules("x = ta", "\n", "ta"));
  f.answer.append('t', 0.25f);
  f.answer.append('a', 0.75f);
  f.answer.append('b', 0.9f, 0.85f);
  f.answer.append('\n', 1.0f);
  CHECK(f.answer.token_ends() == std::vector<std::size_t>{0, 0, 1, 1});
  REQUIRE(f.answer.margins().size() == 4);
  CHECK(f.answer.margins()[0] == 0.0f);
  CHECK(f.answer.margins()[1] == Approx(0.5f));
  CHECK(f.answer.margins()[2] == 0.85f);
}

TEST_CASE("a special token ends an answer and is no part of it") {
  Fixture f(rules("x = ", "\n"));
  f.type("ab");
  f.answer.append(257, 1.0f);
  CHECK(f.answer.reason() == StopReason::end_token);
  CHECK(f.answer.text() == "ab");
  CHECK(f.answer.tokens().size() == 2);
}

TEST_CASE("rows of a block alone may say that the hole ends") {
  ModelSpec spec = spec_of(288);
  spec.never_generated = {'\0', 257, 260};
  spec.hole_end = 257;
  tests::ByteTokenizer tokenizer;
  Answer answer(tokenizer, spec, rules("x = ", "\n"));
  CHECK_FALSE(allows(answer.allowed_after({}), 257));
  CHECK(allows(answer.allowed_after({}, true), 257));
  CHECK_FALSE(allows(answer.allowed_after({}, true), 260));
  spec.hole_end = 5000;  // behind the vocabulary: means nothing
  Answer other(tokenizer, spec, rules("x = ", "\n", "ab"));
  CHECK_FALSE(allows(other.allowed_after({}, true), 'x'));  // the typed bytes bind block rows too
}

TEST_CASE("an end-of-hole token ends an answer, whatever the tokenizer takes it for") {
  ModelSpec spec = spec_of(288);
  spec.hole_end = 'e';
  const tests::ByteTokenizer tokenizer;
  Answer answer(tokenizer, spec, rules("x = ", "\n"));
  for (const char c : std::string("abe")) answer.append(c, 0.5f);
  CHECK(answer.reason() == StopReason::end_token);
  CHECK(answer.text() == "ab");
}

TEST_CASE("the token limit") {
  Fixture f(rules("x = ", "\n", "", 3));
  f.type("abcd");
  CHECK(f.answer.reason() == StopReason::length);
  CHECK(f.answer.text() == "abc");
}

TEST_CASE("an answer never ends inside a UTF-8 sequence") {
  const std::pair<std::string, std::string> cases[] = {{"a\xC3", "a"},
                                                       {"a\xC3\xA9", "a\xC3\xA9"},
                                                       {"a\xE2\x82", "a"},
                                                       {"a\xF0\x9F\x98", "a"},
                                                       {"a\xF0\x9F\x98\x80", "a\xF0\x9F\x98\x80"},
                                                       {"\xE2\x82\xAC", "\xE2\x82\xAC"},
                                                       {"a\x80", "a\x80"}};
  for (const auto& [typed, text] : cases) {
    Fixture f(rules("x = ", "\n"));
    f.type(typed);
    f.answer.stop(StopReason::deadline);
    CHECK(f.answer.text() == text);
  }
}

TEST_CASE("typed bytes must come first and are not part of the text") {
  Fixture f(rules("x = re", "\n", "re"));
  CHECK(f.answer.healing());
  CHECK(f.answer.text().empty());
  const std::uint64_t* first = f.answer.allowed_after({});
  for (std::int32_t token = 0; token < 288; ++token) CHECK(allows(first, token) == (token == 'r'));
  f.type("r");
  CHECK(f.answer.healing());
  const std::uint64_t* second = f.answer.allowed_after({});
  for (std::int32_t token = 0; token < 288; ++token) CHECK(allows(second, token) == (token == 'e'));
  f.answer.forget_bitmaps();
  f.type("e");
  CHECK_FALSE(f.answer.healing());
  CHECK(allows(f.answer.allowed_after({}), 'x'));
  f.type("turn\n");
  CHECK(f.answer.text() == "turn");
}

TEST_CASE("tokens ahead count towards the typed bytes") {
  Fixture f(rules("x = re", "\n", "re"));
  const std::int32_t ahead[] = {'r', 'e'};
  CHECK(allows(f.answer.allowed_after(std::span(ahead).first(1)), 'e'));
  CHECK_FALSE(allows(f.answer.allowed_after(std::span(ahead).first(1)), 'x'));
  CHECK(allows(f.answer.allowed_after(ahead), 'x'));
}

TEST_CASE("a newline among the typed bytes ends nothing") {
  Fixture f(rules("x = ", "\n", "a\nb"));
  f.type("a\nb");
  CHECK_FALSE(f.answer.complete());
  f.type("c\n");
  CHECK(f.answer.text() == "c");
}

TEST_CASE("how many tokens ahead complete an answer") {
  struct Case {
    const char* name;
    const char* typed;  // of the typed bytes "re", or what follows them
    const char* ahead;
    std::optional<std::size_t> completes;
  };
  const Case cases[] = {{"the line ends with the third", "rea", "bc\nd", 3},
                        {"at once", "rea", "\n", 1},
                        {"the limit", "rea", "bcdef", 5},
                        {"neither", "rea", "bcde", std::nullopt},
                        {"nothing ahead", "rea", "", std::nullopt},
                        {"complete already", "rea\n", "b\n", std::nullopt},
                        {"the hole's end", "rea", "b~c", 2},
                        {"a token that never comes", "rea", "b#\n", std::nullopt},
                        {"behind the end it would not matter", "rea", "b\n#", 2},
                        {"typed bytes first", "r", "ea\n", 3},
                        {"other bytes than those typed", "r", "xa\n", std::nullopt},
                        {"no end of the hole among the typed bytes", "r", "~", std::nullopt}};
  ModelSpec spec = spec_of(288);
  spec.hole_end = '~';
  spec.never_generated = {'#', '~'};
  const tests::ByteTokenizer tokenizer;
  for (const Case& c : cases) {
    INFO(c.name);
    Answer answer(tokenizer, spec, rules("x = re", "\n", "re", 8));
    for (const std::int32_t token : tokenizer.encode(c.typed)) answer.append(token, 0.5f);
    const std::size_t before = answer.tokens().size();
    CHECK(answer.completed_by(tokenizer.encode(c.ahead)) == c.completes);
    CHECK(answer.tokens().size() == before);
  }
}

TEST_CASE("a forbidden token does not come ahead either") {
  Fixture f(rules("x = ", "\n"));
  f.type("ab");
  const std::int32_t forbidden[] = {'c'}, ahead[] = {'c', '\n'}, other[] = {'d', 'c', '\n'};
  f.answer.forbid_next(forbidden);
  CHECK(f.answer.completed_by(ahead) == std::nullopt);
  CHECK(f.answer.completed_by(other) == 3);
}

TEST_CASE("never_generated is closed, ids outside the matrix are passed over") {
  Fixture f(rules("", ""));
  const std::uint64_t* open = f.answer.allowed_after({});
  CHECK_FALSE(allows(open, 0));
  CHECK_FALSE(allows(open, 260));
  CHECK(allows(open, 1));
  CHECK(allows(open, 257));
}

TEST_CASE("rows of the matrix that no token stands for are closed") {
  Fixture f(rules("", ""), 320);
  const std::uint64_t* open = f.answer.allowed_after({});
  for (std::int32_t token = 261; token < 320; ++token) CHECK(allows(open, token) == (token < 288));
}

// Backends read one bit for every row of the matrix, and those may be more or fewer than the tokenizer's tokens.
TEST_CASE("a healing bitmap covers every row of the matrix") {
  for (const std::int32_t rows : {64, 288, 1024}) {
    Fixture f(rules("x = !", "\n", "!"), rows);
    const std::uint64_t* bitmap = f.answer.allowed_after({});
    for (std::int32_t token = 0; token < rows; ++token) REQUIRE(allows(bitmap, token) == (token == '!'));
  }
}

}  // namespace
}  // namespace cinnabar::engine
