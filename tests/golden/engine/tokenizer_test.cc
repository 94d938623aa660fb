// Ids equal those of Hugging Face's `tokenizers` over a megabyte of mixed text; tests/golden/make_tokenizer_golden.py
// makes the files and says where the text is from.
#include "engine/tokenizer/tokenizer.h"

#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "engine/tokenizer/text_runs.h"

namespace {

using cinnabar::engine::Checkpoint;
using cinnabar::engine::load_tokenizer;

std::string read(const std::string& name) {
  std::ifstream file(std::string(CINNABAR_SOURCE_DIR) + "/tests/golden/tokenizer/" + name, std::ios::binary);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string fnv1a(const std::vector<std::int32_t>& ids) {
  std::uint64_t value = 0xCBF29CE484222325u;
  for (const std::int32_t id : ids) {
    for (int shift = 0; shift < 32; shift += 8) {
      value = (value ^ (static_cast<std::uint32_t>(id) >> shift & 0xFFu)) * 0x100000001B3u;
    }
  }
  char text[17];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(value));
  return text;
}

// The first `characters` characters of `text`, removed from it.
std::string_view take(std::string_view& text, std::size_t characters) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < characters && bytes < text.size(); ++i) {
    bytes += cinnabar::engine::utf8_character(text.substr(bytes));
  }
  const std::string_view chunk = text.substr(0, bytes);
  text.remove_prefix(bytes);
  return chunk;
}

}  // namespace

TEST_CASE("ids equal the reference's, chunk by chunk and for the whole text") {
  const std::string name = GENERATE("default", "gpt2", "smollm", "llama3");
  INFO(name);
  Checkpoint checkpoint;
  checkpoint.source = name;
  checkpoint.kind = Checkpoint::Kind::hugging_face;
  checkpoint.texts["tokenizer.json"] = read(name + "_vocab.json");
  const auto tokenizer = load_tokenizer(checkpoint);
  INFO(tokenizer.status().message());
  REQUIRE(tokenizer.ok());

  const auto expected = nlohmann::json::parse(read(name + "_ids.json"));
  const auto hashes = expected["hashes"].get<std::vector<std::string>>();
  const auto counts = expected["counts"].get<std::vector<std::size_t>>();
  const auto first = expected["first"].get<std::vector<std::vector<std::int32_t>>>();
  const std::string text = read("mixed.txt");
  std::string_view rest = text;
  for (std::size_t chunk = 0; chunk < hashes.size(); ++chunk) {
    INFO("chunk " << chunk);
    const std::string_view part = take(rest, expected["chunk_characters"].get<std::size_t>());
    const auto ids = (*tokenizer)->encode(part);
    if (chunk < first.size()) REQUIRE(ids == first[chunk]);
    CHECK(ids.size() == counts[chunk]);
    CHECK(fnv1a(ids) == hashes[chunk]);
    CHECK((*tokenizer)->decode(ids) == part);
  }
  CHECK(rest.empty());
  CHECK(fnv1a((*tokenizer)->encode(text)) == expected["whole"].get<std::string>());
}

TEST_CASE("real vocabularies: a prompt's kept part keeps its tokens, whatever follows") {
  const std::string name = GENERATE("default", "gpt2", "smollm", "llama3");
  INFO(name);
  Checkpoint checkpoint;
  checkpoint.source = name;
  checkpoint.kind = Checkpoint::Kind::hugging_face;
  checkpoint.texts["tokenizer.json"] = read(name + "_vocab.json");
  const auto tokenizer = load_tokenizer(checkpoint);
  REQUIRE(tokenizer.ok());
  const std::string text = read("mixed.txt");
  std::mt19937 rng(7);
  for (int round = 0; round < 300; ++round) {
    const std::string part = text.substr(rng() % (text.size() - 400), 1 + rng() % 200);
    const std::size_t split = (*tokenizer)->last_split(part);
    const auto kept = (*tokenizer)->encode(std::string_view(part).substr(0, split));
    for (int more = 0; more < 20; ++more) {
      const auto whole = (*tokenizer)->encode(part + text.substr(rng() % (text.size() - 40), 1 + rng() % 20));
      INFO("'" << part << "' cut at " << split);
      REQUIRE(kept.size() <= whole.size());
      CHECK(std::equal(kept.begin(), kept.end(), whole.begin()));
    }
  }
}
