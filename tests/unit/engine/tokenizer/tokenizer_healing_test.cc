#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "engine/tokenizer/healing.h"
#include "tests/support/small_vocabulary.h"

using namespace cinnabar::engine;

TEST_CASE("tokens consistent with typed bytes: those that start with them or begin them") {
  cinnabar::tests::SmallVocabulary vocabulary;
  for (const auto& [left, right] : std::vector<std::pair<std::string, std::string>>{
           {"r", "e"}, {"re", "t"}, {"u", "r"}, {"ur", "n"}, {"ret", "urn"}, {" ", "return"}, {"\xFF", "\xFE"}}) {
    vocabulary.merge(left, right);
  }
  vocabulary.add("<|r|>", 3);
  vocabulary.add("rex", 4);  // plain text that no merge makes counts too
  const auto tokenizer = load_tokenizer(vocabulary.checkpoint());
  INFO(tokenizer.status().message());
  REQUIRE(tokenizer.ok());
  const std::string typed = GENERATE(as<std::string>(), "", "r", "re", "ret", "retu", "return", "return x", " ", "\xFF",
                                     "\xFF\xFE\xFD", "rex", "\x80", "zzz");
  std::vector<std::uint64_t> bitmap(1, ~std::uint64_t{0});
  tokens_consistent_with(**tokenizer, typed, bitmap);
  REQUIRE(bitmap.size() == (static_cast<std::size_t>((*tokenizer)->size()) + 63) / 64);
  for (std::int32_t id = 0; id < static_cast<std::int32_t>(bitmap.size() * 64); ++id) {
    const std::string_view bytes = (*tokenizer)->bytes(id);
    const bool expected = !bytes.empty() && (bytes.starts_with(typed) || std::string_view(typed).starts_with(bytes));
    INFO("typed '" << typed << "', token " << id << " '" << bytes << "'");
    CHECK(((bitmap[id / 64] >> (id % 64) & 1) != 0) == expected);
  }
}

TEST_CASE("ordinary tokens are sorted by their bytes") {
  const auto tokenizer = load_tokenizer(cinnabar::tests::SmallVocabulary().checkpoint());
  REQUIRE(tokenizer.ok());
  const auto sorted = (*tokenizer)->sorted_by_bytes();
  REQUIRE(sorted.size() == 256);
  for (unsigned byte = 0; byte < 256; ++byte) {
    CHECK((*tokenizer)->bytes(sorted[byte]) == std::string(1, static_cast<char>(byte)));
  }
}
