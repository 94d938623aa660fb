// The files vocabularies come in, well formed and not.
#include <catch2/catch.hpp>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "engine/tokenizer/tokenizer.h"
#include "tests/support/small_vocabulary.h"

namespace {

using namespace cinnabar::engine;
using cinnabar::tests::SmallVocabulary;
using Json = nlohmann::json;

Json tokenizer_json() {
  SmallVocabulary vocabulary;
  vocabulary.merge("l", "o");
  vocabulary.merge("lo", "w");
  Json vocab = Json::object();
  for (std::size_t id = 0; id < vocabulary.tokens.size(); ++id) vocab[vocabulary.tokens[id]] = id;
  Json json;
  json["model"] = {{"type", "BPE"}, {"vocab", vocab}, {"merges", vocabulary.merges}};
  json["added_tokens"] = {{{"id", 258}, {"content", "<|end|>"}, {"special", true}},
                          {{"id", 260}, {"content", "    "}, {"special", false}}};
  json["normalizer"] = {{"type", "NFC"}};
  json["pre_tokenizer"] = {{"type", "Sequence"},
                           {"pretokenizers",
                            {{{"type", "Split"},
                              {"pattern", {{"Regex", R"(\p{L}+|[^\p{L}]+)"}}},
                              {"behavior", "Isolated"},
                              {"invert", false}},
                             {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}}}};
  return json;
}

Checkpoint folder(const std::string& file, const std::string& text) {
  Checkpoint checkpoint;
  checkpoint.source = "folder";
  checkpoint.kind = Checkpoint::Kind::hugging_face;
  checkpoint.texts[file] = text;
  return checkpoint;
}

void fails_with(const Checkpoint& checkpoint, const std::string& wanted) {
  const auto result = load_tokenizer(checkpoint);
  REQUIRE_FALSE(result.ok());
  INFO(result.message());
  CHECK(result.message().find(wanted) != std::string::npos);
  CHECK(result.message().size() < 1000);
}

}  // namespace

TEST_CASE("bytes that no token stands for are left out") {
  SmallVocabulary vocabulary;
  for (const int byte : {0x04, 0x06, 0x13, 0x1d, 0xc0, 0xf5, 0xff})  // as SmolLM's, whose text never has them
    vocabulary.tokens[static_cast<std::size_t>(byte)] = "<lost" + std::to_string(byte) + ">";
  const Checkpoint checkpoint = vocabulary.checkpoint();
  const auto tokenizer = load_tokenizer(checkpoint);
  INFO((tokenizer ? "" : tokenizer.message()));
  REQUIRE(tokenizer.ok());
  const std::string text =
      "a\x04\x04"
      "b\xf5\xff\x1d"
      "c\x13";
  const auto ids = (*tokenizer)->encode(text);
  CHECK((*tokenizer)->decode(ids) == "abc");
  CHECK(std::all_of(ids.begin(), ids.end(), [](std::int32_t id) { return id >= 0; }));
}

TEST_CASE("a GGUF vocabulary that is wrong is refused with its place") {
  struct Case {
    std::string wanted;
    std::function<void(SmallVocabulary&)> spoil;
  };
  const auto c = GENERATE(values<Case>({
      {"tokens 65 and 257 have the same text 'A'", [](auto& v) { v.add("x1", 1), v.add("A", 1); }},
      {"no token stands for byte 0x0A", [](auto& v) { v.tokens['\n'] = "x2"; }},
      {"no token stands for byte 0x41", [](auto& v) { v.types['A'] = 3; }},
      {"merge 0 ('q' + 'qq'): no token is 'qq'", [](auto& v) { v.merges = {"q qq"}; }},
      {"merge 0 ('q' + 'r'): no token is 'qr'", [](auto& v) { v.merges = {"q r"}; }},
      {"merge 1", [](auto& v) { v.merge("q", "r"), v.merges.push_back("q r"); }},
      {"is not an ordinary one", [](auto& v) { v.add("qr", 3), v.merges = {"q r"}; }},
      {"tokenizer.ggml.merges[0] is 'qr'", [](auto& v) { v.merges = {"qr"}; }},
      {"tokenizer.ggml.merges[0]", [](auto& v) { v.merges = {" q"}; }},
      {"tokenizer.ggml.merges[0]", [](auto& v) { v.merges = {""}; }},
      {"tokenizer.ggml.token_type has 255", [](auto& v) { v.types.pop_back(); }},
      {"token 256: token type 6", [](auto& v) { v.add("<0x00>", 6); }},
      {"token 256: token type -9", [](auto& v) { v.add("x", -9); }},
      {"pre-tokenizer 'nonsense'", [](auto& v) { v.pre = "nonsense"; }},
      {"no token stands for byte 0x09", [](auto& v) { v.tokens.clear(), v.types.clear(); }},
      // U+2028 has no byte: its token stands for itself, and joins to something else than its spelling says.
      {"are not those of the two",
       [](auto& v) { v.add("\u2028", 1), v.add("\u00C4\u2028", 1), v.merges = {"\u00C4 \u2028"}; }},
  }));
  SmallVocabulary vocabulary;
  c.spoil(vocabulary);
  fails_with(vocabulary.checkpoint(), c.wanted);
}

TEST_CASE("GGUF keys that are missing or of another type are named") {
  const std::string key = GENERATE(as<std::string>(), "tokenizer.ggml.model", "tokenizer.ggml.pre",
                                   "tokenizer.ggml.tokens", "tokenizer.ggml.token_type", "tokenizer.ggml.merges");
  Checkpoint checkpoint = SmallVocabulary().checkpoint();
  checkpoint.metadata.erase(key);
  fails_with(checkpoint, key + " is missing");
  checkpoint.metadata[key] = true;
  fails_with(checkpoint, key);
}

TEST_CASE("tokenizer.json is read") {
  Json json = tokenizer_json();
  if (GENERATE(false, true)) {
    Json pairs = Json::array({Json::array({"l", "o"}), Json::array({"lo", "w"})});
    json["model"]["merges"] = pairs;
  }
  const auto tokenizer = load_tokenizer(folder("tokenizer.json", json.dump()));
  INFO(tokenizer.status().message());
  REQUIRE(tokenizer.ok());
  CHECK((*tokenizer)->size() == 261);
  CHECK((*tokenizer)->encode("low-low").size() == 3);
  CHECK((*tokenizer)->special("<|end|>") == 258);
  CHECK((*tokenizer)->bytes(260) == "    ");
  CHECK((*tokenizer)->bytes(259).empty());
  CHECK_FALSE((*tokenizer)->is_special(259));
}

TEST_CASE("ignore_merges takes whole words first") {
  Json json = tokenizer_json();
  json["model"]["vocab"]["xyz"] = 261;  // a token no merge makes
  CHECK((*load_tokenizer(folder("tokenizer.json", json.dump())))->encode("xyz").size() == 3);
  json["model"]["ignore_merges"] = true;
  CHECK((*load_tokenizer(folder("tokenizer.json", json.dump())))->encode("xyz") == std::vector<std::int32_t>{261});
}

TEST_CASE("a tokenizer.json that is wrong or not understood is refused") {
  struct Case {
    std::string wanted;
    std::function<void(Json&)> spoil;
  };
  const auto step = [](const Json& replacement) {
    return [replacement](Json& json) { json["pre_tokenizer"]["pretokenizers"][0] = replacement; };
  };
  const auto split = [&](const char* regex) {
    return step({{"type", "Split"}, {"pattern", {{"Regex", regex}}}, {"behavior", "Isolated"}});
  };
  const auto c = GENERATE_COPY(values<Case>({
      {"model is missing", [](Json& j) { j.erase("model"); }},
      {"model.type is 'WordPiece'", [](Json& j) { j["model"]["type"] = "WordPiece"; }},
      {"model.end_of_word_suffix", [](Json& j) { j["model"]["end_of_word_suffix"] = "</w>"; }},
      {"the vocabulary is not a JSON object", [](Json& j) { j["model"]["vocab"] = 3; }},
      {"model.merges is not an array", [](Json& j) { j["model"]["merges"] = "l o"; }},
      {"model.merges[2] is not a pair", [](Json& j) { j["model"]["merges"].push_back("lo"); }},
      {"model.merges[2] is not a pair",
       [](Json& j) {
         j["model"]["merges"].push_back(Json::array({1, 2}));
       }},
      {"merge 2 ('l' + 'zz')", [](Json& j) { j["model"]["merges"].push_back("l zz"); }},
      {"id out of range", [](Json& j) { j["model"]["vocab"]["zz"] = -1; }},
      {"id out of range", [](Json& j) { j["model"]["vocab"]["zz"] = 18446744073709551615u; }},
      {"not an integer", [](Json& j) { j["model"]["vocab"]["zz"] = 1.5; }},
      {"id 3 is also that of", [](Json& j) { j["model"]["vocab"]["zz"] = 3; }},
      {"id 3 is also that of", [](Json& j) { j["added_tokens"][0]["id"] = 3; }},
      {"no content", [](Json& j) { j["added_tokens"][0] = 7; }},
      {"normalizer: type 'Lowercase'",
       [](Json& j) {
         j["normalizer"] = {{"type", "Lowercase"}};
       }},
      {"pre_tokenizer: type 'Metaspace'", step({{"type", "Metaspace"}})},
      {"add_prefix_space", [](Json& j) { j["pre_tokenizer"]["pretokenizers"][1]["add_prefix_space"] = true; }},
      {"no ByteLevel step", [](Json& j) { j["pre_tokenizer"]["pretokenizers"].erase(1); }},
      {"behavior 'MergedWithNext'", step({{"type", "Split"}, {"behavior", "MergedWithNext"}})},
      {"neither a Regex nor a String", step({{"type", "Split"}, {"behavior", "Isolated"}})},
      {"pattern '(a': at", split("(a")},
      {"intersections", split("[a&&[b]]")},
      {"at most", split(std::string(20000, 'x').c_str())},
  }));
  Json json = tokenizer_json();
  c.spoil(json);
  fails_with(folder("tokenizer.json", json.dump()), c.wanted);
}

TEST_CASE("text that is no sane JSON is refused") {
  const auto [text, wanted] = GENERATE(table<std::string, std::string>({
      {"", "not valid JSON"},
      {"[]", "expected a JSON object"},
      {"{\"model\":", "not valid JSON"},
      {"{\"model\":\"\xFF\"}", "not valid JSON"},
      {std::string(1 << 20, '['), "nested deeper"},
      {"{\"a\":\"\\\\\"," + std::string(100, '['), "nested deeper"},  // the quote ends the string
  }));
  fails_with(folder("tokenizer.json", text), wanted);
}

TEST_CASE("vocab.json and merges.txt are read, with added tokens from either file") {
  const Json json = tokenizer_json();
  Checkpoint checkpoint = folder("vocab.json", json["model"]["vocab"].dump());
  checkpoint.texts["merges.txt"] = "#version: 0.2\nl o\r\nlo w\n\n";
  Json config = {{"tokenizer_class", "Qwen2Tokenizer"}};
  SECTION("added_tokens_decoder") {
    config["added_tokens_decoder"] = {{"258", {{"content", "<|end|>"}, {"special", true}}}};
  }
  SECTION("added_tokens.json") { checkpoint.texts["added_tokens.json"] = R"({"<|end|>": 258})"; }
  checkpoint.texts["tokenizer_config.json"] = config.dump();
  const auto tokenizer = load_tokenizer(checkpoint);
  INFO(tokenizer.status().message());
  REQUIRE(tokenizer.ok());
  CHECK((*tokenizer)->encode("low").size() == 1);
  CHECK((*tokenizer)->special("<|end|>") == 258);

  checkpoint.texts["merges.txt"] = "l o\nlow\n";
  fails_with(checkpoint, "merges.txt: line 2");
  checkpoint.texts.erase("merges.txt");
  fails_with(checkpoint, "merges.txt is missing");
  checkpoint.texts["merges.txt"] = "";
  checkpoint.texts["tokenizer_config.json"] = R"({"tokenizer_class": "OtherTokenizer"})";
  fails_with(checkpoint, "tokenizer_class 'OtherTokenizer'");
  checkpoint.texts["tokenizer_config.json"] =
      R"({"tokenizer_class": "Qwen2Tokenizer", "added_tokens_decoder": {"x": {"content": "<y>"}}})";
  fails_with(checkpoint, "not an integer");
}

TEST_CASE("a folder without a tokenizer says what was looked for") {
  fails_with(folder("config.json", "{}"), "no tokenizer");
}
