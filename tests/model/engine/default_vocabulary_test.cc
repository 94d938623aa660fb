// The embedded model's own vocabulary is the one that the golden ids were made with
// (tests/golden/engine/tokenizer_test.cc).
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <string>

#include "engine/model/checkpoint.h"
#include "engine/tokenizer/tokenizer.h"

using namespace cinnabar::engine;

TEST_CASE("the default model's GGUF vocabulary equals the golden tokenizer.json") {
  const auto model = open_checkpoint(std::string(CINNABAR_SOURCE_DIR) + "/models/default");
  INFO(model.status().message());
  REQUIRE(model.ok());
  const auto own = load_tokenizer(*model);
  INFO(own.status().message());
  REQUIRE(own.ok());

  std::ifstream file(std::string(CINNABAR_SOURCE_DIR) + "/tests/golden/tokenizer/default_vocab.json", std::ios::binary);
  Checkpoint folder;
  folder.kind = Checkpoint::Kind::hugging_face;
  folder.texts["tokenizer.json"] = {std::istreambuf_iterator<char>(file), {}};
  const auto golden = load_tokenizer(folder);
  INFO(golden.status().message());
  REQUIRE(golden.ok());

  REQUIRE((*own)->size() == 40960);
  REQUIRE((*golden)->size() == 40960);
  std::size_t different = 0;
  for (std::int32_t id = 0; id < (*own)->size(); ++id) {
    const bool same = (*own)->bytes(id) == (*golden)->bytes(id) && (*own)->is_special(id) == (*golden)->is_special(id);
    different += same ? 0 : 1;
  }
  CHECK(different == 0);
  for (const char* literal :
       {"<|endoftext|>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|mask|>", "<|hole_end|>"}) {
    INFO(literal);
    REQUIRE((*own)->special(literal).has_value());
    CHECK((*own)->special(literal) == (*golden)->special(literal));
  }
  std::ifstream mixed(std::string(CINNABAR_SOURCE_DIR) + "/tests/golden/tokenizer/mixed.txt", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(mixed), {}};
  REQUIRE(text.size() > 1000000);
  CHECK(((*own)->encode(text) == (*golden)->encode(text)));
}
