#include "daemon/commands/evaluation/typist.h"

#include <catch2/catch.hpp>

#include "tests/support/session_client.h"

namespace cinnabar::daemon::evaluation {
namespace {

using tests::FakeModel;
using tests::Texts;

// "ab" is typed behind "x = " with a pause in front of "b", then "c" at once.
TypingScript script(int pause) {
  TypingScript script{"s", "a.py", "python", "x = \ny\n", {}, {}};
  std::uint32_t at = 4;
  for (const auto& [text, milliseconds] : {std::pair{"a", 100}, {"b", pause}, {"c", 100}}) {
    script.keys.push_back({milliseconds, {{0, at}, {0, at}}, text, {0, at + 1}});
    ++at;
  }
  script.places = {{"one", "word", 1, "c", {}}, {"two", "word", 2, "d", {}}};
  return script;
}

std::vector<PlaceAnswer> typed(FakeModel& model, const TypingScript& script) {
  ServerOptions server;
  server.options.editor.prefetch = false;
  server.open_model = [&](const engine::EngineOptions&) { return model.open(); };
  auto typist = Typist::start(std::move(server));
  REQUIRE(typist);
  std::vector<PlaceAnswer> answers;
  const auto take = [&](PlaceAnswer answer) {
    answers.push_back(std::move(answer));
    return Status();
  };
  REQUIRE((*typist)->type(script, take));
  return answers;
}

Texts asked(FakeModel& model) {
  Texts prefixes;
  for (const auto& request : model.requests()) prefixes.push_back(request.prefix);
  return prefixes;
}

TEST_CASE("a place's answer is what an editor shows behind its key, and what the model said") {
  FakeModel model;
  const auto answers = typed(model, script(100));
  REQUIRE(answers.size() == 2);
  CHECK(answers[0].id == "one");
  CHECK(answers[0].shown == "answer");
  CHECK(answers[0].raw == "answer");
  CHECK(answers[1].id == "two");
  CHECK(asked(model) == Texts{"x = ab", "x = abc"});
}

TEST_CASE("an answer that a pause gives time for is waited for; typing along it asks for nothing") {
  FakeModel model;
  model.answers = [](const auto&) { return Texts{"bcd"}; };
  const auto answers = typed(model, script(500));
  REQUIRE(answers.size() == 2);
  CHECK(answers[0].shown == "cd");
  CHECK(answers[0].raw.empty());
  CHECK(answers[1].shown == "d");
  CHECK(asked(model) == Texts{"x = a"});
}

TEST_CASE("a model that cannot be opened ends the typing with its reason") {
  FakeModel model;
  model.opens = [] { return Status::error("no such file"); };
  ServerOptions server;
  server.open_model = [&](const engine::EngineOptions&) { return model.open(); };
  const auto typist = Typist::start(std::move(server));
  REQUIRE_FALSE(typist);
  CHECK(typist.message().find("no such file") != std::string::npos);
}

TEST_CASE("a script says what is wrong with it") {
  const auto line = [](const char* text) { return read_script(nlohmann::json::parse(text)).message(); };
  CHECK(line(R"({"id":"a"})").find("\"path\" is missing") != std::string::npos);
  const std::string head = R"({"id":"a","path":"a.py","language":"python","text":"",)";
  CHECK(line((head + R"("keys":[[1,0,0]],"places":[]})").c_str()).find("key 0 is not") != std::string::npos);
  CHECK(line((head + R"("keys":[],"places":[{"id":"p","kind":"k","next":"","key":0}]})").c_str()).find("place \"p\"") !=
        std::string::npos);
}

}  // namespace
}  // namespace cinnabar::daemon::evaluation
