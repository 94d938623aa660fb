// Models by name: where they lie, which one a name or path comes to, and that changes are whole or have not happened.
#include "daemon/models/model_store.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>

#include "base/sha256.h"
#include "tests/support/model_files.h"
#include "tests/support/small_vocabulary.h"

using namespace cinnabar;
using namespace cinnabar::daemon;
using Catch::Contains;
using Catch::StartsWith;

namespace fs = std::filesystem;

namespace {

// A model of 257 tokens that no device would run, but that every reader takes.
std::string tiny_bytes() {
  test::GgufWriter writer = test::tiny_gguf_config("qwen2");
  tests::SmallVocabulary words;
  words.merge("a", "b");
  writer.set("tokenizer.ggml.model", "gpt2");
  writer.set("tokenizer.ggml.pre", "qwen2");
  writer.set("tokenizer.ggml.tokens", words.tokens);
  writer.set("tokenizer.ggml.token_type", std::vector<std::int32_t>(words.types.begin(), words.types.end()));
  writer.set("tokenizer.ggml.merges", words.merges);
  auto tensors = test::tiny_tensors(true, true);
  const std::int64_t width = test::TinySizes::width;
  tensors.front() = {"token_embd.weight", {257, width}, test::counted(257 * width, 0)};
  test::add_tensors(writer, tensors);
  const auto bytes = writer.bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string tiny_digest() {
  const std::string bytes = tiny_bytes();
  return sha256_hex(std::as_bytes(std::span(bytes)));
}

struct Store {
  test::ModelFolder root;
  ModelPlaces places{root.file("user"), {root.file("beside")}, root.file("config/model")};
  const std::string tiny = root.write("tiny.gguf", tiny_bytes());

  // A model beside the program, of the tiny file or of a text that is no model.
  void put(const std::string& path, const std::string& file, const std::string& text) const {
    fs::create_directories(root.file(path));
    std::ofstream(root.file(path) + "/" + file, std::ios::binary) << text;
  }
  void put_model(const std::string& path) const { put(path, "model.gguf", tiny_bytes()); }
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& model : listed_models(places)) out.push_back(model.name);
    return out;
  }
  ListedModel listed(const std::string& name) const {
    const auto models = listed_models(places);
    const auto found =
        std::find_if(models.begin(), models.end(), [&](const auto& model) { return model.name == name; });
    REQUIRE(found != models.end());
    return *found;
  }
  std::vector<std::string> left_in_user() const {
    std::vector<std::string> names;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(places.user, error)) names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }
};

}  // namespace

TEST_CASE("models are listed by name, the program's own first, the user's before those beside the program") {
  const Store store;
  CHECK(store.names().empty());
  store.put_model("beside/default");
  store.put_model("beside/zeta");
  store.put_model("user/alpha");
  store.put_model("user/zeta");
  store.put_model("user/.alpha.new");  // half made
  store.put_model("user/default");     // would hide the program's own
  store.put("beside/making", "fetch.py", "");
  CHECK(store.names() == std::vector<std::string>{"default", "alpha", "zeta"});
  CHECK(store.listed("zeta").own);
  CHECK(store.listed("default").is_default);
  CHECK_FALSE(store.listed("default").own);
  CHECK(store.listed("alpha").bytes == static_cast<std::int64_t>(fs::file_size(store.tiny)));
}

TEST_CASE("a name comes to its model, anything else is a path") {
  const Store store;
  store.put_model("beside/default");
  store.put_model("user/alpha");
  const auto model_of = [&](const std::string& given) {
    const auto found = find_model(store.places, given);
    return found ? found->model : found.message();
  };
  CHECK(model_of("") == store.root.file("beside/default"));
  CHECK(model_of("default") == store.root.file("beside/default"));
  CHECK(model_of("alpha") == store.root.file("user/alpha"));
  CHECK(model_of(store.tiny) == store.tiny);
  for (const std::string missing : {"./alpha", "model.gguf", "/no/such/model"}) {  // a path: what and what to do
    CAPTURE(missing);
    CHECK_THAT(model_of(missing), StartsWith(missing + ": there is no such file or folder; name a model that "));
    CHECK_THAT(model_of(missing), Contains("cinnabar.model") && Contains("--model"));
  }
  CHECK_THAT(model_of("beta"), Contains("there is no model 'beta'; there are: default, alpha"));
  CHECK(names_model(store.places, "alpha"));
  CHECK(names_model(store.places, "beta"));
  CHECK_FALSE(names_model(store.places, "beta.gguf"));
  CHECK_FALSE(names_model(store.places, "./beta"));
}

TEST_CASE("without any model the message says where one is looked for") {
  const Store store;
  CHECK_THAT(find_model(store.places, "").message(), Contains("no models/default beside this program"));
  CHECK_THAT(find_model(store.places, "x").message(), Contains("there are: none"));
}

TEST_CASE("what a model's folder says goes with it") {
  const Store store;
  store.put_model("user/alpha");
  store.put("user/alpha", "model.json", R"({"prompt": "suffix_then_prefix", "modes": {"cpu": "autoregressive"}})");
  for (const std::string& given : {std::string("alpha"), store.root.file("user/alpha")}) {
    const auto found = find_model(store.places, given);
    REQUIRE(found);
    CHECK(found->description.prompt == engine::InfillLayout::suffix_then_prefix);
    CHECK(found->description.modes.cpu == engine::Mode::autoregressive);
  }
  store.put("user/alpha", "model.json", R"({"prompt": "up"})");
  CHECK(store.listed("alpha").state == ListedModel::State::damaged);
  CHECK_THAT(find_model(store.places, "alpha").message(), Contains("model.json") && Contains("expected one of"));
  CHECK_THAT(find_model(store.places, store.root.file("user/alpha")).message(), Contains("expected one of"));
}

TEST_CASE("an adapter finds its base by the base's SHA-256") {
  const Store store;
  const std::string digest = tiny_digest();
  store.put("user/quick", "adapter.gguf", "adapter");
  CHECK_THAT(find_model(store.places, "quick").message(), Contains("does not name the base"));
  store.put("user/quick", "model.json", R"({"base_sha256": ")" + digest + "\"}");
  CHECK(store.listed("quick").state == ListedModel::State::without_base);
  CHECK_THAT(find_model(store.places, "quick").message(), Contains(digest) && Contains("is not here"));
  store.put_model("beside/base");
  CHECK_FALSE(find_model(store.places, "quick"));  // nothing says what its file is
  store.put("beside/base", "model.json", R"({"sha256": ")" + digest + "\"}");
  for (const std::string& given : {std::string("quick"), store.root.file("user/quick")}) {
    const auto found = find_model(store.places, given);
    REQUIRE(found);
    CHECK(found->model == store.root.file("beside/base"));
    CHECK(found->adapter == store.root.file("user/quick/adapter.gguf"));
  }
}

TEST_CASE("a model that is only described can be had: the message has the command") {
  const Store store;
  store.put("beside/large", "model.json", R"({"name": "large"})");
  CHECK(store.listed("large").state == ListedModel::State::obtainable);
  CHECK_THAT(find_model(store.places, "large").message(), Contains("not here yet"));
  CHECK(making_command(store.places, "large").empty());
  store.put("beside", "make_model.py", "");
  CHECK(making_command(store.places, "large") == "python3 " + store.root.file("beside/make_model.py") + " large");
  CHECK_THAT(find_model(store.places, "large").message(), Contains("make_model.py large"));
  store.put_model("user/large");
  CHECK(find_model(store.places, "large")->model == store.root.file("user/large"));
}

TEST_CASE("the command that makes a model can be pasted into a shell") {
  const Store store;
  for (const auto& [folder, shown] :
       {std::pair{"beside", "beside/make_model.py"}, std::pair{"two words", "two words/make_model.py'"},
        std::pair{"it's", "it'\\''s/make_model.py'"}, std::pair{"$HOME", "$HOME/make_model.py'"}}) {
    const std::string place = store.root.file(folder);
    store.put(folder + std::string("/large"), "model.json", "{}");
    store.put(folder, "make_model.py", "");
    const std::string command = making_command({{}, {place}, {}}, "large");
    CHECK_THAT(command, Contains(std::string(shown) + " large"));
    CHECK_THAT(command, StartsWith(std::string(shown).ends_with("'") ? "python3 '/" : "python3 /"));
  }
}

TEST_CASE("the user's default is what no name comes to") {
  const Store store;
  store.put_model("beside/default");
  store.put_model("user/alpha");
  REQUIRE(choose_default(store.places, "alpha"));
  CHECK(find_model(store.places, "")->model == store.root.file("user/alpha"));
  CHECK(store.listed("alpha").is_default);
  CHECK_FALSE(store.listed("default").is_default);
  REQUIRE(choose_default(store.places, store.tiny));
  CHECK(find_model(store.places, "")->model == store.tiny);
  CHECK_FALSE(choose_default(store.places, "none"));
  CHECK_FALSE(choose_default(store.places, "none.gguf"));
  CHECK(*chosen_default(store.places) == store.tiny);  // as before
  REQUIRE(choose_default(store.places, "alpha"));
  REQUIRE(remove_model(store.places, "alpha"));
  CHECK_THAT(find_model(store.places, "").message(), Contains("no model 'alpha'") && Contains("model use default"));
  REQUIRE(choose_default(store.places, "default"));
  CHECK(find_model(store.places, "")->model == store.root.file("beside/default"));
  REQUIRE(choose_default(store.places, "default"));
}

TEST_CASE("a default that cannot be loaded is refused as it is when added") {
  const Store store;
  store.put_model("beside/default");
  store.put("user/broken", "model.gguf", "hello");
  const std::string notes = store.root.write("notes.txt", "hello"), cut = store.root.write("cut.gguf", "hello");
  fs::create_directories(store.root.file("empty"));
  for (const std::string& path : {cut, store.root.file("empty"), store.root.file("user/broken")}) {
    const Status chosen = choose_default(store.places, path);
    REQUIRE_FALSE(chosen);
    CHECK(chosen.message() == add_model(store.places, "x", path).message());
  }
  CHECK_THAT(choose_default(store.places, "broken").message(), Contains("not a GGUF"));
  CHECK_FALSE(choose_default(store.places, notes));
  CHECK_FALSE(fs::exists(store.places.choice));
}

TEST_CASE("a file of the user's default that holds something else is named") {
  const Store store;
  store.put_model("beside/default");
  for (const std::string& text :
       {std::string("a\nb\n"), std::string(), std::string("\x1b[31m"), std::string(9000, 'x')}) {
    store.put("config", "model", text);
    CHECK_THAT(find_model(store.places, "").message(), Contains(store.places.choice) && Contains("expected one line"));
  }
  CHECK(find_model(store.places, "default"));
  fs::remove(store.places.choice);
  fs::create_directory(store.places.choice);
  CHECK_THAT(find_model(store.places, "").message(), Contains("not a regular file"));
}

TEST_CASE("a file or folder is added whole, with its checksum, and removed") {
  const Store store;
  REQUIRE(add_model(store.places, "mine", store.tiny));
  CHECK(bytes_of(store.root.file("user/mine/model.gguf")) == bytes_of(store.tiny));
  CHECK(store.listed("mine").description.sha256 == tiny_digest());
  CHECK(store.left_in_user() == std::vector<std::string>{"mine"});
  CHECK_THAT(add_model(store.places, "mine", store.tiny).message(), Contains("there is a model 'mine' already"));
  REQUIRE(add_model(store.places, "folder", CINNABAR_SOURCE_DIR "/tests/golden/models/qwen2_block"));
  CHECK(find_model(store.places, "folder"));
  const auto freed = remove_model(store.places, "mine");
  REQUIRE(freed);
  CHECK(*freed >= static_cast<std::int64_t>(fs::file_size(store.tiny)));
  CHECK(store.left_in_user() == std::vector<std::string>{"folder"});
}

TEST_CASE("a model in parts is added where every part has its checksum") {
  const Store store;
  std::string bytes = tiny_bytes();
  const std::string entry = "\"bytes\": " + std::to_string(bytes.size()) + ", \"sha256\": \"" + tiny_digest() + "\"";
  store.put("parts", "parts.json",
            "{\"file\": \"m\", " + entry + ", \"parts\": [{\"file\": \"m.part-01\", " + entry + "}]}");
  store.put("parts", "m.part-01", bytes);
  REQUIRE(add_model(store.places, "whole", store.root.file("parts")));
  CHECK(store.left_in_user() == std::vector<std::string>{"whole"});
  bytes.back() ^= 1;
  store.put("parts", "m.part-01", bytes);
  const Status damaged = add_model(store.places, "damaged", store.root.file("parts"));
  REQUIRE_FALSE(damaged);
  CHECK_THAT(damaged.message(), Contains(store.root.file("parts/m.part-01") + ": expected SHA-256 " + tiny_digest()));
  CHECK(store.left_in_user() == std::vector<std::string>{"whole"});
}

TEST_CASE("what cannot be added or removed is said, and leaves nothing") {
  const Store store;
  store.put_model("beside/default");
  const auto refused = [&](const std::string& name, const std::string& from, const std::string& expected) {
    INFO(name + " " + from);
    const Status added = add_model(store.places, name, from);
    REQUIRE_FALSE(added);
    CHECK_THAT(added.message(), Contains(expected));
    CHECK(store.left_in_user().empty());
  };
  refused("../up", store.tiny, "is no name for a model");
  refused("default", store.tiny, "is no name for a model");
  refused("x", store.root.file("none"), "there is no such file or folder");
  refused("x", CINNABAR_SOURCE_DIR "/README.md", "expected a GGUF file");
  store.put("bad", "model.gguf", "hello");
  refused("x", store.root.file("bad"), "not a GGUF");
  refused("x", store.root.file("bad/model.gguf"), "not a GGUF");
  store.put_model("changed");
  store.put("changed", "model.json", R"({"sha256": ")" + std::string(64, '0') + "\"}");
  refused("x", store.root.file("changed"), "model.json says SHA-256 0000");
  store.put("empty", "notes.txt", "");
  refused("x", store.root.file("empty"), "expected parts.json, model.gguf or config.json");
  CHECK_THAT(remove_model(store.places, "default").message(), Contains("came with the program"));
  CHECK_THAT(remove_model(store.places, "none").message(), Contains("no model 'none' of yours"));
  CHECK_THAT(remove_model(store.places, "../beside").message(), Contains("no model"));
  CHECK(store.names() == std::vector<std::string>{"default"});
}
