#include <catch2/catch.hpp>
#include <cstdio>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "engine/tokenizer/piece_model.h"
#include "engine/tokenizer/tokenizer.h"

namespace {

using namespace cinnabar::engine;
using Words = std::vector<std::string>;

PieceModel small_model() {
  PieceModel model;
  model.trainer = bpe_trainer();
  model.pieces = {{"<unk>", 0, PieceType::unknown}, {"<s>", 0, PieceType::control}, {"</s>", 0, PieceType::control}};
  for (int byte = 0; byte < 256; ++byte) {
    char text[8];
    std::snprintf(text, sizeof(text), "<0x%02X>", static_cast<unsigned>(byte));
    model.pieces.push_back({text, 0, PieceType::byte});
  }
  model.pieces.push_back({"<tool>", 0, PieceType::user_defined});
  model.pieces.push_back({"\u2581\u2581\u2581\u2581", 0, PieceType::user_defined});
  float score = 0;
  for (const char* text : {"lo", "low", "er", "\u2581low", "\u2581a", "l", "o", "w", "e", "r", "a", "\u2581", "s", "<",
                           ">", "/", "\u00E9"}) {
    model.pieces.push_back({text, score, PieceType::normal});
    score -= 1;
  }
  return model;
}

Checkpoint as_file(const PieceModel& model) {
  Checkpoint checkpoint;
  checkpoint.source = "folder";
  checkpoint.kind = Checkpoint::Kind::hugging_face;
  checkpoint.texts["tokenizer.model"] = serialize_exact(model);
  return checkpoint;
}

Checkpoint as_gguf(const PieceModel& model) {
  std::vector<std::string> tokens;
  std::vector<double> scores;
  std::vector<std::int64_t> types;
  for (const auto& piece : model.pieces) {
    tokens.push_back(piece.text);
    scores.push_back(static_cast<double>(piece.score));
    types.push_back(static_cast<std::int64_t>(piece.type));
  }
  Checkpoint checkpoint;
  checkpoint.source = "small.gguf";
  checkpoint.metadata["tokenizer.ggml.model"] = std::string("llama");
  checkpoint.metadata["tokenizer.ggml.tokens"] = tokens;
  checkpoint.metadata["tokenizer.ggml.scores"] = scores;
  checkpoint.metadata["tokenizer.ggml.token_type"] = types;
  return checkpoint;
}

std::unique_ptr<Tokenizer> load(const Checkpoint& checkpoint) {
  auto tokenizer = load_tokenizer(checkpoint);
  INFO(tokenizer.status().message());
  REQUIRE(tokenizer.ok());
  return std::move(*tokenizer);
}

void fails_with(const Checkpoint& checkpoint, const std::string& wanted) {
  const auto result = load_tokenizer(checkpoint);
  REQUIRE_FALSE(result.ok());
  INFO(result.message());
  CHECK(result.message().find(wanted) != std::string::npos);
}

}  // namespace

TEST_CASE("SentencePiece from GGUF and from tokenizer.model give the same pieces") {
  const auto tokenizer = load(GENERATE(true, false) ? as_gguf(small_model()) : as_file(small_model()));
  const auto [text, expected] = GENERATE(table<std::string, Words>({
      {"", {}},
      {"low", {"low"}},  // no dummy prefix
      {" low", {" low"}},
      {"lower  low", {"low", "er", " ", " low"}},
      {"     low", {"    ", " low"}},  // a user-defined run of spaces
      {"\u00E9\u00E8", {"\u00E9", "\xC3", "\xA8"}},
      {"a\nlow\n", {"a", "\n", "low", "\n"}},
      {"<s>", {"<", "s", ">"}},
      {"\u2581low", {"\xE2", "\x96", "\x81", "low"}},  // the mark itself must not become a space
      {"low\xFFlow", {"low", "\xFF", "low"}},
      {std::string("a\0a", 3), {"a", std::string("\0", 1), "a"}},
  }));
  Words actual;
  for (const std::int32_t token : tokenizer->encode(text)) actual.emplace_back(tokenizer->bytes(token));
  CHECK(actual == expected);
}

TEST_CASE("SentencePiece never yields special tokens from text") {
  const auto tokenizer = load(as_gguf(small_model()));
  CHECK(tokenizer->special("</s>") == 2);
  CHECK(tokenizer->special("<tool>") == 259);
  for (const char* text : {"<s>low</s>", "<tool>", "x<unk>y<0x0A>"}) {
    const auto tokens = tokenizer->encode(text);
    for (const std::int32_t token : tokens) CHECK_FALSE(tokenizer->is_special(token));
    CHECK(tokenizer->decode(tokens) == text);
  }
}

TEST_CASE("SentencePiece gives all bytes back") {
  const auto tokenizer = load(as_file(small_model()));
  std::mt19937 random(5);
  const Words units = {"low",     " ",          "   ",      "\n",     "\r\n",
                       "\t",      "\u2581",     "\u00E9",   "\u3000", "\uFB01",
                       "A\u030A", "\U0001F600", "\xE2\x96", "\xFF",   std::string("\0", 1),
                       "<s>",     "<0x41>",     "\u200B",   "\uFEFF"};
  for (int round = 0; round < 300; ++round) {
    std::string text;
    for (auto i = random() % 60; i > 0; --i) text += units[random() % units.size()];
    CHECK(tokenizer->decode(tokenizer->encode(text)) == text);
  }
  for (const std::string& unit : units) {
    std::string text;
    while (text.size() < 300000) text += unit;
    CHECK((tokenizer->decode(tokenizer->encode(text)) == text));
  }
}

TEST_CASE("a SentencePiece vocabulary that is wrong is refused") {
  PieceModel model = small_model();
  std::string wanted;
  SECTION("a byte without token") {
    model.pieces[3 + 65].type = PieceType::normal;
    wanted = "no byte token for byte 65";
  }
  SECTION("a byte token of another form") {
    model.pieces[5].text = "<0xZZ>";
    wanted = "piece 5: it is a byte token";
  }
  SECTION("twice") {
    model.pieces.push_back({"lo", 0, PieceType::normal});
    wanted = "'lo' is there twice";
  }
  SECTION("empty") {
    model.pieces.push_back({"", 0, PieceType::normal});
    wanted = "its text is empty";
  }
  SECTION("NUL") {
    model.pieces.push_back({std::string("a\0b", 3), 0, PieceType::normal});
    wanted = "NUL";
  }
  SECTION("not UTF-8") {
    model.pieces.push_back({"a\xFF", 0, PieceType::normal});
    wanted = "UTF-8";
  }
  SECTION("score") {
    model.pieces.back().score = std::numeric_limits<float>::quiet_NaN();
    wanted = "not finite";
  }
  SECTION("no unknown piece") {
    model.pieces[0].type = PieceType::control;
    wanted = "unk";
  }
  fails_with(as_file(model), wanted);
  fails_with(as_gguf(model), wanted);
}

TEST_CASE("a tokenizer.model that is cut off or changed anywhere is an error or another model, never a crash") {
  const std::string good = serialize_exact(small_model());
  Checkpoint checkpoint = as_file(small_model());
  for (std::size_t length = 0; length < good.size(); length += 7) {
    checkpoint.texts["tokenizer.model"] = good.substr(0, length);
    (void)load_tokenizer(checkpoint).ok();
  }
  std::mt19937 random(11);
  for (int round = 0; round < 400; ++round) {
    std::string bad = good;
    bad[random() % bad.size()] = static_cast<char>(random());
    checkpoint.texts["tokenizer.model"] = bad;
    const auto tokenizer = load_tokenizer(checkpoint);
    if (tokenizer.ok()) CHECK((*tokenizer)->decode((*tokenizer)->encode(" low\xFF low")) == " low\xFF low");
  }
  checkpoint.texts["tokenizer.model"] = "";
  fails_with(checkpoint, "no pieces");
  checkpoint.texts["tokenizer.model"] = "\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01";
  fails_with(checkpoint, "malformed field at byte 0");
}

TEST_CASE("GGUF arrays of different lengths, or missing, are named") {
  Checkpoint checkpoint = as_gguf(small_model());
  checkpoint.metadata["tokenizer.ggml.scores"] = std::vector<double>(3);
  fails_with(checkpoint, ".scores has 3");
  checkpoint.metadata.erase("tokenizer.ggml.scores");
  fails_with(checkpoint, "tokenizer.ggml.tokens (strings)");
}
