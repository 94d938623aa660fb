#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "engine/tokenizer/merges.h"
#include "engine/tokenizer/pretokenizer.h"
#include "engine/tokenizer/text_runs.h"
#include "engine/tokenizer/tokenizer.h"
#include "tests/support/small_vocabulary.h"

namespace {

using namespace cinnabar::engine;
using cinnabar::tests::SmallVocabulary;
using Words = std::vector<std::string>;

std::unique_ptr<Tokenizer> small(const std::string& pre = "qwen2") {
  SmallVocabulary vocabulary;
  vocabulary.pre = pre;
  for (const auto& [left, right] : std::vector<std::pair<std::string, std::string>>{{"l", "o"},
                                                                                    {"lo", "w"},
                                                                                    {"e", "r"},
                                                                                    {" ", " "},
                                                                                    {"  ", "  "},
                                                                                    {" ", "low"},
                                                                                    {"a", "a"},
                                                                                    {"aa", "aa"},
                                                                                    {"<", "|"},
                                                                                    {"\xD0", "\xB0"},
                                                                                    {"\xFF", "\xFF"},
                                                                                    {"o", "w"}}) {
    vocabulary.merge(left, right);
  }
  vocabulary.add("<|end|>", 3);
  vocabulary.add("<tool>", 4);
  vocabulary.add("\t\t", 4);
  auto tokenizer = load_tokenizer(vocabulary.checkpoint());
  INFO(tokenizer.status().message());
  REQUIRE(tokenizer.ok());
  return std::move(*tokenizer);
}

Words pieces(const Tokenizer& tokenizer, const std::string& text) {
  Words result;
  for (const std::int32_t token : tokenizer.encode(text)) result.emplace_back(tokenizer.bytes(token));
  return result;
}

Words words(const std::string& pre, const std::string& text) {
  const auto tokenizer = PreTokenizer::named(pre);
  REQUIRE(tokenizer.ok());
  std::vector<std::size_t> ends;
  tokenizer->cut(text, ends);
  Words result;
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    result.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  CHECK(begin == text.size());
  return result;
}

std::string repeated(const std::string& unit, std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += unit;
  return text;
}

}  // namespace

TEST_CASE("merges apply by rank, leftmost first") {
  const auto tokenizer = small();
  const auto [text, expected] = GENERATE(table<std::string, Words>({
      {"", {}},
      {"low", {"low"}},  // "l o" ranks before "o w"
      {"ow", {"ow"}},
      {"lower", {"low", "er"}},
      {"slow low", {"s", "low", " low"}},
      {"aaa", {"aa", "a"}},
      {"aaaaaaa", {"aaaa", "aa", "a"}},
      {"<|end|>", {"<|", "e", "n", "d", "|", ">"}},  // text that looks like a special token is text
      {"<tool>", {"<", "t", "o", "o", "l", ">"}},
      {"\t\t", {"\t", "\t"}},  // a literal token is never made
      {"\xD0\xB0", {"\xD0\xB0"}},
      {"\xD0", {"\xD0"}},  // cut off in the middle of a character
      {"a\xFF\xFF\xFF z", {"a", "\xFF\xFF", "\xFF", " ", "z"}},
      {std::string("\0l\0", 3), {std::string("\0", 1), "l", std::string("\0", 1)}},
  }));
  CHECK(pieces(*tokenizer, text) == expected);
}

TEST_CASE("words are cut as each pre-tokenizer's rule says") {
  struct Case {
    std::string pre, text;
    Words expected;
  };
  const auto c = GENERATE(values<Case>({
      {"qwen2", "x = 123;\r\n\r\n  y", {"x", " =", " ", "1", "2", "3", ";\r\n\r\n", " ", " y"}},
      {"qwen2", "don't I'LL", {"don", "'t", " I", "'LL"}},
      {"qwen2", "\t\tif(a", {"\t", "\tif", "(a"}},
      {"qwen2", "a  \n \n  b   ", {"a", "  \n \n", " ", " b", "   "}},
      {"qwen2", "e\u0301 \u4F60\u597D\U0001F600", {"e", "\u0301", " \u4F60\u597D", "\U0001F600"}},
      {"qwen2",
       "a\u180Eb",
       {"a",
        "\u180E"
        "b"}},  // not white space to Unicode
      {"llama-bpe", "12345", {"123", "45"}},
      {"gpt-2", "x 123 it's  a", {"x", " 123", " it", "'s", " ", " a"}},
      {"gpt-2", "\n\n\nx", {"\n\n", "\n", "x"}},
      {"smollm", "x 12 y", {"x", " ", "1", "2", " y"}},
      {"default", "f(1234)", {"f", "(", "123", "4", ")"}},
      {"refact", "x 12 y", {"x", " ", "1", "2", " y"}},
      {"mellum", "x 123", {"x", " 123"}},
      {"smaug-bpe", "12345 x", {"123", "45", " x"}},
      {"seed-coder", "a;\n\n  12", {"a", ";", "\n\n", " ", " ", "1", "2"}},
      {"deepseek-coder", "if (x1)\n", {"if", " (", "x", "1", ")", "\n"}},
      {"deepseek-llm", "if (x12)\n  y", {"if", " (", "x", "12", ")", "\n", " ", " y"}},
      {"deepseek-v3", "f(x)=1234;", {"f", "(x", ")=", "123", "4", ";"}},
      {"tekken", "camelCase ABCdef12", {"camel", "Case", " ABCdef", "1", "2"}},
      {"gpt-4o", "it's fooBar 1234", {"it's", " foo", "Bar", " ", "123", "4"}},
      {"qwen35", "e\u0301t 12", {"e\u0301t", " ", "1", "2"}},
      {"bailingmoe", "it's\n\nx", {"it", "'s", "\n\n", "x"}},
  }));
  INFO(c.pre << ": " << c.text);
  CHECK(words(c.pre, c.text) == c.expected);
}

TEST_CASE("an unknown pre-tokenizer is an error that lists the known ones") {
  const auto result = PreTokenizer::named("qwen99");
  REQUIRE_FALSE(result.ok());
  CHECK(result.message().find("'qwen99'") != std::string::npos);
  CHECK(result.message().find("smollm") != std::string::npos);
}

TEST_CASE("a pattern that explodes ends within its match limit and loses no text") {
  const auto tokenizer = PreTokenizer::from_patterns({"(a+)+$", "(?=b)|x*", "(?=ab\\K)|.\\K(?=.)"});
  if (!tokenizer.ok()) return;  // a PCRE2 that forbids \K in lookaheads
  std::vector<std::size_t> ends;
  const std::string text = std::string(5000, 'a') + "b" + std::string(500, 'x');
  tokenizer->cut(text, ends);
  REQUIRE_FALSE(ends.empty());
  CHECK(ends.back() == text.size());
  CHECK(std::is_sorted(ends.begin(), ends.end()));
}

TEST_CASE("decode(encode(bytes)) is bytes") {
  const auto tokenizer = small(GENERATE("qwen2", "gpt-2", "smollm", "llama-bpe", "default"));
  std::mt19937 random(7);
  for (int round = 0; round < 400; ++round) {
    std::string text;
    const std::size_t size = random() % 200;
    const bool ascii = round % 3 == 0;
    while (text.size() < size) {
      const unsigned pick = random() % 8;
      if (pick == 0) text += "\xC3\xA9\xF0\x9F\x98\x80 ";
      if (pick == 1) text += "low lower  \r\n";
      text += static_cast<char>(ascii ? random() % 128 : random() % 256);
    }
    CHECK(tokenizer->decode(tokenizer->encode(text)) == text);
  }
}

TEST_CASE("long and monotonous texts are encoded exactly") {
  const auto tokenizer = small();
  const std::string unit =
      GENERATE(as<std::string>(), "a", " ", "\n", " \n", "=", "low", "\U0001F600", "\u0301", "\xFF",
               "\xFF"
               "a",
               "\xD0", "'s", "1", " x\t");
  const std::string text = repeated(unit, 1 << 20);
  const auto tokens = tokenizer->encode(text);
  CHECK((tokenizer->decode(tokens) == text));
}

TEST_CASE("one long word merges as short ones do") {
  // 48 symbols are merged by scanning and more by a heap: both must give what the rule says.
  const auto tokenizer = small();
  for (const std::size_t length : {3u, 47u, 48u, 49u, 50u, 1001u}) {
    const auto tokens = tokenizer->encode(std::string(length, 'a'));
    CHECK(tokens.size() == length / 4 + (length % 4) / 2 + length % 2);
  }
  MergeTable table(64);
  std::mt19937 random(3);
  for (std::int32_t rank = 0; rank < 40; ++rank) {
    table.add(static_cast<std::int32_t>(random() % 12), static_cast<std::int32_t>(random() % 12),
              {rank, static_cast<std::int32_t>(random() % 12)});
  }
  MergeScratch scratch;
  for (int round = 0; round < 300; ++round) {
    std::vector<std::int32_t> word;
    for (std::size_t i = 0; i < 40 + static_cast<std::size_t>(round); ++i)
      word.push_back(static_cast<std::int32_t>(random() % 12));
    std::vector<std::int32_t> expected = word;
    for (;;) {  // the rule, literally
      std::size_t best = 0;
      const Merge* merge = nullptr;
      for (std::size_t i = 0; i + 1 < expected.size(); ++i) {
        const Merge* found = table.find(expected[i], expected[i + 1]);
        if (found != nullptr && (merge == nullptr || found->rank < merge->rank)) {
          merge = found;
          best = i;
        }
      }
      if (merge == nullptr) break;
      expected[best] = merge->token;
      expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    }
    merge_word(table, word, scratch);
    CHECK(word == expected);
  }
}

TEST_CASE("special tokens have no bytes and are found by their literal") {
  const auto tokenizer = small();
  const auto end = tokenizer->special("<|end|>");
  REQUIRE(end.has_value());
  CHECK(tokenizer->is_special(*end));
  CHECK(tokenizer->bytes(*end).empty());
  CHECK(tokenizer->special("<tool>").has_value());
  CHECK_FALSE(tokenizer->special("low").has_value());
  CHECK_FALSE(tokenizer->special("\t\t").has_value());
  CHECK(tokenizer->bytes(tokenizer->size() - 1) == "\t\t");
  for (const std::int32_t id : {-1, tokenizer->size(), 1 << 30}) {
    CHECK(tokenizer->bytes(id).empty());
    CHECK_FALSE(tokenizer->is_special(id));
  }
  CHECK(tokenizer->decode(std::vector<std::int32_t>{*end, -5, tokenizer->encode("low")[0]}) == "low");
}

TEST_CASE("text is cut where UTF-8 begins and ends to be valid") {
  struct Case {
    std::string text;
    std::size_t length;
  };
  const auto c = GENERATE(values<Case>({{"", 0},
                                        {"a", 1},
                                        {"\xC3\xA9", 2},
                                        {"\xC3", 0},
                                        {"\xC0\x80", 0},
                                        {"\xC1\xBF", 0},
                                        {"\xE0\x9F\xBF", 0},
                                        {"\xE0\xA0\x80", 3},
                                        {"\xED\x9F\xBF", 3},
                                        {"\xED\xA0\x80", 0},
                                        {"\xF0\x8F\xBF\xBF", 0},
                                        {"\xF0\x90\x80\x80", 4},
                                        {"\xF4\x8F\xBF\xBF", 4},
                                        {"\xF4\x90\x80\x80", 0},
                                        {"\xF5\x80\x80\x80", 0},
                                        {"\x80", 0},
                                        {"\xE2\x82", 0},
                                        {"\xE2\x82(", 0}}));
  CHECK(utf8_character(c.text) == c.length);
}

TEST_CASE("threads share one tokenizer") {
  const auto tokenizer = small();
  const std::string text = repeated("slow lower <|end|> aaaa \xFF\xFF 123\n", 4096);
  const auto expected = tokenizer->encode(text);
  std::vector<int> equal(4, 0);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < equal.size(); ++i) {
    threads.emplace_back([&, i] { equal[i] = tokenizer->encode(text) == expected ? 1 : 0; });
  }
  for (auto& thread : threads) thread.join();
  CHECK(equal == std::vector<int>{1, 1, 1, 1});
}
