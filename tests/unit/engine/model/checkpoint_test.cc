#include "engine/model/checkpoint.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "base/sha256.h"
#include "engine/model/mapping.h"
#include "engine/model/parts.h"
#include "tests/support/model_files.h"

using namespace cinnabar::engine;
using namespace cinnabar::test;
using Catch::Contains;

namespace {

std::string digest(std::span<const std::byte> bytes) { return cinnabar::sha256_hex(bytes); }

std::string entry(const std::string& file, std::size_t bytes, const std::string& sha256, const std::string& more = "") {
  return "{\"file\": \"" + file + "\", \"bytes\": " + std::to_string(bytes) + ", \"sha256\": \"" + sha256 + "\"" +
         more + "}";
}

// A GGUF file of a little more than one aligned part, cut in two. Returns its bytes.
std::vector<std::byte> write_parts(const ModelFolder& folder) {
  GgufWriter writer;
  writer.set("general.name", "cut in two");
  writer.tensor("large", {170, 100}, counted(17000, 0));
  const auto whole = writer.bytes();
  const auto first = std::span(whole).first(Mapping::kPartAlignment), second = std::span(whole).subspan(first.size());
  folder.write("m.part-01", first);
  folder.write("m.part-02", second);
  const std::string parts =
      entry("m.part-01", first.size(), digest(first)) + ", " + entry("m.part-02", second.size(), digest(second));
  folder.write("parts.json", entry("m", whole.size(), digest(whole), ", \"parts\": [" + parts + "]"));
  return whole;
}

}  // namespace

TEST_CASE("a path that is no model is refused with what was expected") {
  const ModelFolder folder;
  CHECK_THAT(open_checkpoint(folder.file("none")).message(), Contains("none") && Contains("No such file"));
  CHECK_THAT(open_checkpoint(folder.path()).message(), Contains("parts.json, model.gguf or config.json"));
  CHECK_THAT(open_checkpoint(folder.write("x.gguf", "hello")).message(), Contains("x.gguf") && Contains("not a GGUF"));
  CHECK_THAT(open_checkpoint(folder.write("x.safetensors", "hello")).message(), Contains("folder with config.json"));
}

TEST_CASE("what is no ordinary file is refused at once, by name") {
  const ModelFolder folder;
  const std::string pipe = folder.file("pipe"), empty = folder.write("empty.gguf", "");
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::filesystem::create_directory(folder.file("m.gguf"));
  for (const auto& [path, expected] : std::vector<std::pair<std::string, std::string>>{
           {pipe, "pipe: not a regular file"},
           {"/dev/zero", "/dev/zero: not a regular file"},
           {empty, "empty.gguf: the file is empty"},
           {folder.file("m.gguf"), "m.gguf: expected parts.json, model.gguf or config.json in the folder"},
           {folder.file("m.gguf/config.json"), "config.json: cannot open: No such file"},
           {"", "cannot open"}})
    CHECK_THAT(open_checkpoint(path).message(), Contains(expected));
  // A pipe where a text is expected.
  std::filesystem::rename(pipe, folder.file("m.gguf/tokenizer.json"));
  std::ofstream(folder.file("m.gguf/config.json")) << tiny_config("Qwen2ForCausalLM", "qwen2");
  CHECK_THAT(open_checkpoint(folder.file("m.gguf")).message(), Contains("tokenizer.json: not a regular file"));
}

TEST_CASE("PyTorch's pickles are named, and what to do about them") {
  ModelFolder folder;
  for (const char* start : {"PK\x03\x04 archive", "\x80\x02 old"}) {
    const std::string path = folder.write("last.ckpt", std::string(start) + std::string(64, 'x'));
    CHECK_THAT(open_checkpoint(path).message(), Contains("pickle") && Contains("safetensors"));
  }
  folder.write("config.json", tiny_config("LlamaForCausalLM", "llama"));
  folder.write("pytorch_model.bin", "PK\x03\x04");
  CHECK_THAT(open_checkpoint(folder.path()).message(), Contains("pytorch_model.bin") && Contains("safetensors"));
}

TEST_CASE("verifying needs checksums and says where they are expected") {
  const ModelFolder folder;
  const std::string pipe = folder.file("pipe");
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  for (const auto& path : {folder.path(), folder.write("x.gguf", "hello"), pipe})
    CHECK_THAT(verify_parts(path).message(), Contains(path + ": there are no checksums") && Contains("parts.json"));
  CHECK_THAT(verify_parts(folder.file("none")).message(), Contains("none: cannot open: No such file"));
  CHECK_THAT(verify_parts(folder.file("parts.json")).message(), Contains("parts.json: cannot open: No such file"));
  CHECK_THAT(verify_parts(folder.write("parts.json", "")).message(), Contains("parts.json: the file is empty"));
}

TEST_CASE("one of several split GGUF files is refused") {
  const ModelFolder folder;
  GgufWriter writer;
  writer.set("split.count", std::uint32_t{3});
  CHECK_THAT(open_checkpoint(folder.write("x.gguf", writer.bytes())).message(), Contains("split.count"));
}

TEST_CASE("a model in parts is the joined file, by its folder or its manifest") {
  const ModelFolder folder;
  const auto whole = write_parts(folder);
  for (const auto& path : {folder.path(), folder.path() + "/", folder.file("parts.json")}) {
    const auto checkpoint = open_checkpoint(path);
    REQUIRE(checkpoint.ok());
    const Tensor& tensor = checkpoint->tensors.at("large");
    CHECK(std::memcmp(tensor.data, whole.data() + whole.size() - 68000, 68000) == 0);
    CHECK(verify_parts(path.ends_with('/') ? folder.path() : path).ok());
  }
}

TEST_CASE("a folder with model.gguf is that file") {
  const ModelFolder folder;
  GgufWriter writer;
  writer.set("general.name", "whole");
  folder.write("model.gguf", writer.bytes());
  folder.write("model.json", "{}");
  const auto checkpoint = open_checkpoint(folder.path() + "/");
  REQUIRE(checkpoint.ok());
  CHECK(checkpoint->source == folder.file("model.gguf"));
}

TEST_CASE("verifying finds a changed byte that opening does not look for") {
  const ModelFolder folder;
  auto whole = write_parts(folder);
  whole.back() ^= std::byte{1};
  folder.write("m.part-02", std::span(whole).subspan(Mapping::kPartAlignment));
  CHECK(open_checkpoint(folder.path()).ok());
  CHECK_THAT(verify_parts(folder.path()).message(), Contains("m.part-02") && Contains("expected SHA-256"));
}

TEST_CASE("a part that is missing or too short is named") {
  const ModelFolder folder;
  write_parts(folder);
  folder.write("m.part-02", "short");
  CHECK_THAT(open_checkpoint(folder.path()).message(), Contains("m.part-02") && Contains("found 5"));
  std::filesystem::remove(folder.file("m.part-01"));
  CHECK_THAT(open_checkpoint(folder.path()).message(), Contains("m.part-01") && Contains("No such file"));
}

TEST_CASE("a manifest that does not add up is refused") {
  const std::string hash(64, 'a');
  const auto message = [&](std::size_t total, const std::string& parts) {
    const auto manifest = parse_parts_manifest(entry("m", total, hash, ", \"parts\": [" + parts + "]"));
    return manifest.ok() ? "no error" : manifest.message();
  };
  CHECK(message(5, entry("a", 5, hash)) == "no error");
  CHECK_THAT(message(6, entry("a", 5, hash)), Contains("1 bytes less"));
  CHECK_THAT(message(4, entry("a", 5, hash)), Contains("'a'") && Contains("more than"));
  CHECK_THAT(message(5, entry("../a", 5, hash)), Contains("'../a'") && Contains("same folder"));
  CHECK_THAT(message(5, entry("a", 5, "abc")), Contains("'a'") && Contains("sha256"));
  CHECK_THAT(message(5, entry("a", 0, hash)), Contains("'a'") && Contains("positive"));
  CHECK_THAT(message(5, ""), Contains("'parts'"));
  CHECK(!parse_parts_manifest("[]").ok());
  CHECK(!parse_parts_manifest("{}").ok());
}

TEST_CASE("a Hugging Face folder brings its tensors and its texts") {
  const ModelFolder folder;
  folder.write("config.json", tiny_config("Qwen2ForCausalLM", "qwen2"));
  folder.write("tokenizer.json", "{}");
  folder.write("model.safetensors", tiny_safetensors(true));
  const auto checkpoint = open_checkpoint(folder.path());
  REQUIRE(checkpoint.ok());
  CHECK(checkpoint->kind == Checkpoint::Kind::hugging_face);
  CHECK(checkpoint->find("model.layers.1.mlp.up_proj.weight") != nullptr);
  CHECK(checkpoint->texts.at("tokenizer.json") == "{}");
  CHECK(!checkpoint->texts.contains("merges.txt"));
}

TEST_CASE("shards are joined as their index says") {
  const ModelFolder folder;
  folder.write("config.json", "{}");
  SafetensorsWriter one, two;
  one.tensor("a", {1}, {1});
  two.tensor("b", {1}, {2});
  folder.write("s1.safetensors", one.bytes());
  folder.write("s2.safetensors", two.bytes());
  const auto open_with = [&](const std::string& map) {
    folder.write("model.safetensors.index.json", "{\"weight_map\": {" + map + "}}");
    return open_checkpoint(folder.path());
  };
  const auto good = open_with(R"("a": "s1.safetensors", "b": "s2.safetensors")");
  REQUIRE(good.ok());
  CHECK(good->tensors.size() == 2);
  CHECK_THAT(open_with(R"("a": "s1.safetensors", "b": "s1.safetensors")").message(),
             Contains("'b'") && Contains("not in it"));
  CHECK_THAT(open_with(R"("b": "s2.safetensors", "c": "s1.safetensors")").message(),
             Contains("'a'") && Contains("not listed"));
  CHECK_THAT(open_with(R"("a": "gone.safetensors")").message(), Contains("gone.safetensors"));
}
