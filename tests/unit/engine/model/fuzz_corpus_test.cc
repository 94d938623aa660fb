// Replays the fuzzers' seeds and findings (tests/fuzz/corpus), so that a finding stays fixed without a fuzzing build.
#include <catch2/catch.hpp>
#include <filesystem>
#include <functional>

#include "engine/model/gguf.h"
#include "engine/model/hf_folder.h"
#include "engine/model/parts.h"
#include "engine/model/safetensors.h"
#include "engine/model/weights.h"

using namespace cinnabar::engine;

namespace {

// Calls `check` with the text of each file of the corpus; returns how many there were.
int replay(const std::string& corpus, const std::function<void(const std::string&)>& check) {
  int count = 0;
  for (const auto& file : std::filesystem::directory_iterator(CINNABAR_SOURCE_DIR "/tests/fuzz/corpus/" + corpus)) {
    const auto text = read_text_file(file.path().string(), 1 << 20);
    REQUIRE(text.ok());
    CAPTURE(file.path().string());
    check(*text);
    ++count;
  }
  return count;
}

bool inside(const Tensor& tensor, std::span<const std::byte> file) {
  return tensor.data >= file.data() && tensor.data + tensor.bytes <= file.data() + file.size();
}

}  // namespace

TEST_CASE("the corpus of GGUF files") {
  CHECK(replay("gguf", [](const std::string& text) {
          const auto file = std::as_bytes(std::span(text));
          const auto checkpoint = parse_gguf(file);
          if (!checkpoint.ok()) return;
          for (const auto& [name, tensor] : checkpoint->tensors) REQUIRE(inside(tensor, file));
          const auto spec = read_spec(*checkpoint);
          if (spec.ok()) (void)bind_weights(*checkpoint, *spec).ok();
        }) > 0);
}

TEST_CASE("the corpus of safetensors files") {
  CHECK(replay("safetensors", [](const std::string& text) {
          const auto file = std::as_bytes(std::span(text));
          (void)parse_safetensors_index(text).ok();
          const auto tensors = parse_safetensors(file);
          if (!tensors.ok()) return;
          for (const auto& [name, tensor] : *tensors) REQUIRE(inside(tensor, file));
        }) > 0);
}

TEST_CASE("the corpus of configurations") {
  CHECK(replay("model_config", [](const std::string& text) {
          (void)parse_parts_manifest(text).ok();
          Checkpoint checkpoint;
          checkpoint.kind = Checkpoint::Kind::hugging_face;
          checkpoint.texts["config.json"] = text.substr(0, text.find('\0'));
          const auto spec = read_spec(checkpoint);
          if (spec.ok()) REQUIRE(validate(*spec).ok());
        }) > 0);
}
