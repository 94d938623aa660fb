// Where a prompt may be cut: what stands in front of Tokenizer::last_split keeps its tokens, whatever follows. Held for every
// kind of pre-tokenizer, for vocabularies without one, and for SentencePiece, on random texts and continuations; and that it
// is no further back than it has to be, on cases by hand.
#include <catch2/catch.hpp>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "engine/tokenizer/healing.h"
#include "engine/tokenizer/piece_model.h"
#include "engine/tokenizer/pretokenizer.h"
#include "engine/tokenizer/tokenizer.h"
#include "tests/support/small_vocabulary.h"

namespace {

using namespace cinnabar::engine;
using cinnabar::tests::SmallVocabulary;

// Merges of many kinds: words, words with a mark in front, runs of marks, of blanks, of line ends, half characters.
const std::vector<std::pair<std::string, std::string>> kMerges = {
    {"e", "l"},     {"s", "el"},    {"sel", "f"},    {"(", "self"}, {".", "sel"},     {".sel", "f"},   {" ", "self"},
    {" self", "s"}, {"(self", "s"}, {"=", "="},      {"=", ">"},    {":", ":"},       {"[", "\""},     {"\"", ","},
    {" ", " "},     {"  ", "  "},   {"\n", "\n"},    {")", "\n"},   {")", ")"},       {"))", "\n"},    {"(", ")"},
    {"()", ";"},    {"();", "\n"},  {"();\n", "\n"}, {"'", "s"},    {"\xC3", "\xA9"}, {" ", "\u00E9"}, {" \u00E9", "s"},
    {"\t", "\t"},   {"1", "2"},     {"12", "3"},     {"{", "\n"},   {"{\n", "\n"},    {"\r", "\n"},    {"-", "-"},
    {"\n", " "},    {"\n ", "\n"}};

std::unique_ptr<Tokenizer> loaded(const Checkpoint& checkpoint) {
  auto tokenizer = load_tokenizer(checkpoint);
  INFO(tokenizer.status().message());
  REQUIRE(tokenizer.ok());
  return std::move(*tokenizer);
}

std::unique_ptr<Tokenizer> bpe(const std::string& pre) {
  SmallVocabulary vocabulary;
  vocabulary.pre = pre;
  for (const auto& [left, right] : kMerges) vocabulary.merge(left, right);
  return loaded(vocabulary.checkpoint());
}

std::unique_ptr<Tokenizer> pieces() {
  PieceModel model;
  model.trainer = bpe_trainer();
  model.pieces = {{"<unk>", 0, PieceType::unknown}, {"<s>", 0, PieceType::control}};
  for (int byte = 0; byte < 256; ++byte) {
    char text[8];
    std::snprintf(text, sizeof(text), "<0x%02X>", static_cast<unsigned>(byte));
    model.pieces.push_back({text, 0, PieceType::byte});
  }
  model.pieces.push_back({"\u2581\u2581\u2581\u2581", 0, PieceType::user_defined});
  float score = 0;
  for (const char* text : {"el",
                           "sel",
                           "self",
                           "(self",
                           "\u2581self",
                           ".sel",
                           "\u2581\u2581",
                           "==",
                           "=>",
                           "::",
                           "[\"",
                           "))",
                           ");",
                           "--",
                           "\u00E9",
                           "\u2581\u00E9",
                           "12",
                           "\u2581",
                           "s",
                           "e",
                           "l",
                           "f",
                           "(",
                           ")",
                           ".",
                           "=",
                           ">",
                           ":",
                           "[",
                           "\"",
                           ";",
                           "-",
                           "1",
                           "2",
                           "3",
                           "{"}) {
    model.pieces.push_back({text, score, PieceType::normal});
    score -= 1;
  }
  Checkpoint checkpoint;
  checkpoint.source = "folder";
  checkpoint.kind = Checkpoint::Kind::hugging_face;
  checkpoint.texts["tokenizer.model"] = serialize_exact(model);
  return loaded(checkpoint);
}

const std::vector<std::string> kKinds = {"qwen2",     "gpt-2",   "smollm",           "starcoder",
                                         "llama-bpe", "default", "deepseek-r1-qwen", "pieces"};
std::unique_ptr<Tokenizer> of_kind(const std::string& kind) { return kind == "pieces" ? pieces() : bpe(kind); }

const std::vector<std::string> kParts = {
    "self",    "s",    "sel",  "(",    ")", ".",  "=",     "=>",     "::",   ":",    "[",
    "\"",      "'",    "'s",   "{",    "}", ";",  ",",     " ",      "  ",   "\n",   "\t",
    "\r",      "\r\n", "    ", "\n\n", "1", "12", "12345", "\u00E9", "\xC3", "\xFF", "\u4F60\u597D",
    "e\u0301", "_",    "-",    "--",   "#"};

std::string random_text(std::mt19937& rng, int parts) {
  std::string text;
  for (int i = 0; i < parts; ++i) text += kParts[rng() % kParts.size()];
  return text;
}

// What is wrong with cutting `text` where the tokenizer says; empty: nothing.
std::string wrong_cut(const Tokenizer& tokenizer, const std::string& text,
                      const std::vector<std::string>& continuations) {
  const std::size_t split = tokenizer.last_split(text);
  if (split > text.size()) return "behind the text's end";
  const auto kept = tokenizer.encode(std::string_view(text).substr(0, split));
  for (const std::string& more : continuations) {
    const auto whole = tokenizer.encode(text + more);
    if (whole.size() < kept.size() || !std::equal(kept.begin(), kept.end(), whole.begin()))
      return "cut at " + std::to_string(split) + " of '" + text + "', then '" + more + "'";
    // A keystroke only appends to the prompt.
    if (tokenizer.last_split(text + more) < split)
      return "'" + text + "' is cut at " + std::to_string(split) + ", with '" + more + "' before that";
  }
  return {};
}

}  // namespace

TEST_CASE("what is kept of a prompt keeps its tokens, whatever follows") {
  const std::string kind = GENERATE(from_range(kKinds));
  const auto tokenizer = of_kind(kind);
  std::mt19937 rng(19);
  for (int round = 0; round < 400; ++round) {
    const std::string text = random_text(rng, 1 + static_cast<int>(rng() % 12));
    std::vector<std::string> continuations = kParts;
    for (int i = 0; i < 10; ++i) continuations.push_back(random_text(rng, 3));
    INFO(kind);
    CHECK(wrong_cut(*tokenizer, text, continuations) == "");
  }
}

TEST_CASE("a prompt is cut no further back than it has to be") {
  struct Case {
    std::string kind, text, kept;
  };
  const auto c = GENERATE(values<Case>({
      {"qwen2", "self.", "self"},    // .sel
      {"qwen2", "def s(", "def s"},  // (self
      {"qwen2", "s(self", "s"},      // one mark in front of a word belongs to it
      {"qwen2", "s((self", "s(("},   // of a run of marks it does not
      {"qwen2", "x = self", "x ="},  // with its blank
      {"qwen2", "x = ", "x ="},
      {"qwen2", "x[\"", "x"},
      {"qwen2", "x = 12", "x = 12"},  // a digit is a word
      {"qwen2", "s:\n    ", "s:\n"},  // line ends belong to the marks before them
      {"qwen2", "s\n    ", "s"},      // and blanks to line ends that may follow
      {"qwen2", "s();\n", "s"},
      {"qwen2", "s \u00E9", "s"},
      {"qwen2", "\t\t(", "\t"},  // two tabs are one word without the bracket
      {"qwen2", "", ""},
      {"gpt-2", "self.", "self"},
      {"gpt-2", "self.sel", "self."},  // marks never join a word here
      {"gpt-2", "s\n    ", "s"},
      {"gpt-2", "s\n  s", "s\n "},
      {"smollm", "x 12", "x 12"},
      {"llama-bpe", "x 12", "x "},  // up to three digits
      {"llama-bpe", "x 123", "x 123"},
      {"default", "s(", ""},     // an expression of marks could fail with more text: so it might be one word
      {"default", "s(s", "s("},  // marks are cut first
      {"pieces", "self.", "self"},
      {"pieces", "self .s", "self "},
      {"pieces", "x x", "x x"},  // no piece has an x
      {"pieces", "s = ", "s ="},
  }));
  INFO(c.kind << ": " << c.text);
  const auto tokenizer = of_kind(c.kind);
  CHECK(c.text.substr(0, tokenizer->last_split(c.text)) == c.kept);
}

TEST_CASE("a word's end that more text could move is no edge") {
  for (const auto& [pattern, text, edge] :
       std::vector<std::tuple<std::string, std::string, std::size_t>>{{"a+", "baa", 0},
                                                                      {"a+", "baab", 3},
                                                                      {"abc", "xab", 0},
                                                                      {"abc", "xabc", 4},
                                                                      {"abc|ab", "xab", 0},
                                                                      {"a(?!b)", "a", 0},
                                                                      {"\\p{L}", "ab", 2}}) {
    const auto words = PreTokenizer::from_patterns({pattern});
    REQUIRE(words.ok());
    INFO(pattern << " in " << text);
    CHECK(words->last_edge(text) == edge);
  }
  CHECK(PreTokenizer::from_patterns({})->last_edge("text") == 0);
}

TEST_CASE("long runs and odd bytes are cut within bounds") {
  const auto tokenizer = of_kind(GENERATE(from_range(kKinds)));
  for (const std::string& unit :
       {std::string(" "), std::string("-"), std::string("sel"), std::string("\xFF"), std::string("\n")}) {
    std::string text;
    while (text.size() < 4000) text += unit;
    CHECK(tokenizer->last_split(text) <= text.size());
    CHECK(tokenizer->last_split("") == 0);
  }
}
