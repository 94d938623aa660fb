// Training lays a hole out token for token as the program does (training/prompt.py, training/vocabulary.py): the
// examples are then what the model is asked. training/tests/make_prompts.py wrote the expectations.
#include <catch2/catch.hpp>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "engine/decoding/prompt.h"
#include "engine/model/weights.h"

using namespace cinnabar::engine;

namespace {

std::map<std::string, nlohmann::json> holes_by_id(const std::string& name) {
  std::map<std::string, nlohmann::json> holes;
  std::ifstream file(std::string(CINNABAR_SOURCE_DIR) + "/tests/holes/" + name + ".jsonl");
  for (std::string line; std::getline(file, line);) {
    auto hole = nlohmann::json::parse(line);
    const std::string id = hole["id"];
    holes[id] = std::move(hole);
  }
  return holes;
}

}  // namespace

TEST_CASE("training's prompts are the program's") {
  const auto model = load_model(std::string(CINNABAR_SOURCE_DIR) + "/models/default");
  INFO(model.status().message());
  REQUIRE(model.ok());
  const auto tokenizer = load_tokenizer(model->checkpoint);
  REQUIRE(tokenizer.ok());
  std::map<std::string, std::map<std::string, nlohmann::json>> files;
  for (const char* name : {"single_line", "multi_line"}) files[name] = holes_by_id(name);

  std::ifstream file(std::string(CINNABAR_SOURCE_DIR) + "/training/tests/prompts.json");
  const auto cases = nlohmann::json::parse(file);
  REQUIRE(cases.size() > 50);
  for (const auto& expected : cases) {
    const std::string id = expected["id"];
    INFO(id << " in " << expected["prefix_budget"] << " and " << expected["suffix_budget"] << " bytes");
    const auto& hole = files.at(expected["file"]).at(id);
    const std::string prefix = hole["prefix"], suffix = hole["suffix"];
    const auto prompt =
        build_prompt(model->spec, **tokenizer, prefix, suffix,
                     {.prefix_bytes = expected["prefix_budget"], .suffix_bytes = expected["suffix_budget"]});
    REQUIRE(prompt.ok());
    CHECK(prompt->typed == expected["typed"].get<std::string>());
    CHECK((prompt->before == expected["before"].get<std::vector<std::int32_t>>()));
  }
}
