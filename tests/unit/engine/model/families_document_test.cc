// models/BRING_YOUR_OWN.md says what is read: its table is the families' rows, and no row is left out.
#include <catch2/catch.hpp>
#include <fstream>
#include <set>
#include <sstream>

#include "engine/mode.h"
#include "engine/model/families.h"

namespace cinnabar::engine {
namespace {

std::string code(std::string_view text) { return text.empty() ? "" : "`" + std::string(text) + "`"; }

// The document's line for a family, from its row.
std::string line_of(const Family& family) {
  ModelSpec spec;
  spec.attention = family.attention;
  spec.logits_shift = family.logits_shift;
  spec.mask = family.attention == Attention::block_causal ? -1 : 0;
  const std::string block = family.attention == Attention::blocks
                                ? std::to_string(family.block_length) +
                                      (family.sub_block > 0 ? " in " + std::to_string(family.sub_block) : "")
                                : "";
  std::string folder = code(family.architecture);
  if (folder.empty()) folder = "type " + code(family.model_type);
  return "| " + std::string(family.name) + " | " + code(family.gguf) + " | " + folder + " | " +
         std::string(name(family.attention)) + " | " + block + " | " + std::to_string(family.logits_shift) + " | " +
         std::string(name(mode_for(Mode::automatic, spec, false).value())) + " |";
}

TEST_CASE("the document's table of families is the families' rows") {
  std::ifstream file(CINNABAR_SOURCE_DIR "/models/BRING_YOUR_OWN.md");
  std::stringstream text;
  text << file.rdbuf();
  std::string missing;
  for (const Family& family : families()) {
    const std::string line = line_of(family);
    if (text.str().find("\n" + line + "\n") == std::string::npos) missing += line + "\n";
    // What its forward was compared with stands in the second table.
    INFO(family.name);
    CHECK(text.str().find("\n| `" + std::string(family.name) + "` | ") != std::string::npos);
  }
  INFO("lines that the document lacks:\n" << missing);
  CHECK(missing.empty());
}

TEST_CASE("the document has a command for every family, and its options hold together") {
  std::ifstream file(CINNABAR_SOURCE_DIR "/models/BRING_YOUR_OWN.md");
  std::set<std::string, std::less<>> shown;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("cinnabar infill ")) continue;
    INFO(line);
    std::istringstream words(line);
    DenoiseOptions said;
    std::string word, value;
    while (words >> word && word != "#") {
      const DenoiseField* field = word.starts_with("--") ? find_denoise_field(word.substr(2)) : nullptr;
      if (field == nullptr) continue;
      words >> value;
      CHECK_FALSE(set_field(*field, value, said));
    }
    const bool expands = line.find("(DreamOn)") != std::string::npos;
    while (words >> word) {
      if (word.starts_with("(")) continue;
      shown.insert(word);
      for (const FamilyDenoising& row : family_denoising())
        if (row.family == word && row.expands == expands) said = over(said, row.options);
    }
    CHECK_FALSE(contradiction(said));
  }
  for (const Family& family : families()) {
    INFO(family.name);
    CHECK(shown.contains(family.name));
  }
}

TEST_CASE("the document shows every order of infill tags") {
  std::ifstream file(CINNABAR_SOURCE_DIR "/models/BRING_YOUR_OWN.md");
  std::stringstream text;
  text << file.rdbuf();
  for (const FillTags& tags : fill_tags()) {
    INFO(tags.prefix << " " << name(tags.layout));
    const std::string first(tags.layout == InfillLayout::prefix_then_suffix ? tags.prefix : tags.suffix);
    CHECK(text.str().find("`" + first) != std::string::npos);
  }
}

}  // namespace
}  // namespace cinnabar::engine
