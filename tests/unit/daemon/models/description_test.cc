// model.json is a stranger's text: what is taken of it, and what is refused.
#include "daemon/models/description.h"

#include <catch2/catch.hpp>

#include "tests/support/model_files.h"

using namespace cinnabar;
using namespace cinnabar::daemon;
using Catch::Contains;

namespace {

const std::string kDigest(64, 'a');
const std::string kGate =
    R"({"constant": 1, "sum": 2, "least": 3, "least_margin": 4, "log_tokens": -5, "balanced": 0.25, "quiet": 0.5})";

}  // namespace

TEST_CASE("all that a description can say") {
  const auto read = parse_description(
      R"({"name": "small-1", "title": "A model", "licence": "MIT", "bytes": 12, "forwards_a_token": 0.5, "sha256": ")" +
      kDigest + R"(", "base_sha256": ")" + kDigest +
      R"(", "prompt": "suffix_then_prefix", "next_edit": "sweep", "modes": {"cpu": "verified", "cuda": "diffusion"},
        "decoding": {"threshold": 0.75, "sub_block": 8, "reuse": "dual", "expand": false}, "gate": )" +
      kGate + R"(, "of the future": [1]})");
  REQUIRE(read);
  CHECK(read->name == "small-1");
  CHECK(read->title == "A model");
  CHECK(read->licence == "MIT");
  CHECK(read->bytes == 12);
  CHECK(read->forwards_a_token == 0.5);
  CHECK(read->sha256 == kDigest);
  CHECK(read->base_sha256 == kDigest);
  CHECK(read->prompt == engine::InfillLayout::suffix_then_prefix);
  CHECK(read->next_edit == NextEditForm::sweep);
  CHECK(read->modes.cpu == engine::Mode::verified);
  CHECK(read->modes.gpu == engine::Mode::diffusion);
  CHECK(read->denoise ==
        engine::DenoiseOptions{.threshold = 0.75f, .sub_block = 8, .reuse = engine::Reuse::dual, .expand = false});
  CHECK(read->gate.least_margin == 4);
  CHECK(read->gate.log_tokens == -5);
  CHECK(read->gate.quiet == 0.5);
  const auto nothing = parse_description("{}");
  REQUIRE(nothing);
  CHECK(nothing->gate.sum == GateWeights().sum);
  CHECK_FALSE(nothing->prompt);
}

TEST_CASE("what a description may not say is named, with what is expected") {
  const auto gate = [](const std::string& from, const std::string& to) {
    std::string text = kGate;
    return R"({"gate": )" + text.replace(text.find(from), from.size(), to) + "}";
  };
  struct Case {
    std::string text, expected;
  };
  for (const Case& c :
       std::vector<Case>{{"", ""},
                         {"[]", "expected an object"},
                         {"{", ""},
                         {R"({"name": "../up"})", "\"name\": expected letters"},
                         {R"({"name": 7})", "\"name\": expected a line"},
                         {R"({"title": "a\u001b[31mb"})", "\"title\": expected a line"},
                         {R"({"title": "a\u0085b"})", "\"title\": expected a line"},
                         {R"({"licence": "a\u202eb"})", "\"licence\": expected a line"},
                         {R"({"title": "a\u2067b"})", "\"title\": expected a line"},
                         {R"({"title": "a\tb"})", "\"title\": expected a line"},
                         {R"({"title": ")" + std::string(201, 'x') + "\"}", "\"title\": expected a line"},
                         {R"({"bytes": -1})", "\"bytes\": expected a positive number"},
                         {R"({"bytes": 1e300})", "\"bytes\": expected a positive number"},
                         {R"({"sha256": "abc"})", "\"sha256\": expected 64"},
                         {R"({"base_sha256": 1})", "\"base_sha256\": expected 64"},
                         {R"({"forwards_a_token": 0})", "forwards_a_token"},
                         {R"({"next_edit": "jump"})", "\"next_edit\": expected one of proposals, sweep, zeta"},
                         {R"({"prompt": "sideways"})", "infill layout: expected one of"},
                         {R"({"modes": {"cpu": "warp"}})", "\"modes\".\"cpu\": expected one of"},
                         {R"({"decoding": 1})", "\"decoding\": expected an object"},
                         {R"({"decoding": {"steps": 0}})", "\"decoding\".\"steps\": expected a number from 1"},
                         {R"({"decoding": {"reuse": [1]}})", "\"decoding\".\"reuse\": expected one of exact"},
                         {R"({"decoding": {"gate": 1}})", "\"decoding\" has no member"},
                         {R"({"decoding": {"quota": 1, "steps": 2}})", "give one of them"},
                         {R"({"modes": []})", "\"modes\": expected an object"},
                         {gate("\"sum\": 2, ", ""), "\"gate\".\"sum\": expected a number"},  // all or none
                         {gate("\"sum\": 2", "\"sum\": 1e9"), "\"gate\".\"sum\": expected a number from -1000"},
                         {gate("0.25", "-0.25"), "\"gate\".\"balanced\": expected a number from 0 to 1"},
                         {gate("0.25", "0.75"), "\"gate\".\"quiet\": expected at least"},
                         {R"({"name": "a", "name": "b"})", ""},
                         {std::string(100, '[') + std::string(100, ']'), ""},
                         {"{\"x\": \"" + std::string(70000, 'x') + "\"}", "expected at most 65536 bytes"}}) {
    INFO(c.text.substr(0, 100));
    const auto read = parse_description(c.text);
    REQUIRE_FALSE(read);
    CHECK_THAT(read.message(), Contains(c.expected));
    CHECK(read.message().find('\n') == std::string::npos);
  }
}

TEST_CASE("a folder without a description says nothing; errors name the file") {
  const test::ModelFolder folder;
  REQUIRE(read_description(folder.path()));
  CHECK(read_description(folder.path())->name.empty());
  folder.write("model.json", "no");
  CHECK_THAT(read_description(folder.path()).message(), Contains(folder.file("model.json")));
  std::filesystem::remove(folder.file("model.json"));
  std::filesystem::create_directory(folder.file("model.json"));
  CHECK_THAT(read_description(folder.path()).message(), Contains("not a regular file"));
}

TEST_CASE("what is written is read again") {
  ModelDescription made;
  made.name = "mine";
  made.bytes = 5;
  made.sha256 = kDigest;
  const auto read = parse_description(written_description(made));
  REQUIRE(read);
  CHECK(read->name == "mine");
  CHECK(read->bytes == 5);
  CHECK(read->sha256 == kDigest);
}

TEST_CASE("the models that are described here can be read, and their gates let a certain token through") {
  for (const char* name : {"default", "coder-1.5b"}) {
    INFO(name);
    const auto read = read_description(std::string(CINNABAR_SOURCE_DIR "/models/") + name);
    REQUIRE(read);
    CHECK(read->name == name);
    CHECK(read->licence == "Apache-2.0");
    for (const std::size_t tokens : {1u, 4u, 12u}) {
      std::vector<engine::InfillToken> path;
      for (std::size_t i = 1; i <= tokens; ++i) path.push_back({0, 0.999f, i, 0.998f});
      CHECK(is_sure(std::string(tokens, 'x'), path, Eagerness::quiet, read->gate));
    }
  }
}

TEST_CASE("names of models") {
  for (const char* name : {"a", "coder-1.5b", "A_b.7"}) CHECK(is_model_name(name));
  for (const char* name : {"", ".", "..", ".hidden", "-x", "a/b", "a b", "ä"}) CHECK_FALSE(is_model_name(name));
  CHECK_FALSE(is_model_name(std::string(65, 'a')));
}
