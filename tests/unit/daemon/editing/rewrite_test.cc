// A region rewritten: what the model answers, and what is made of it.
#include "daemon/editing/rewrite.h"

#include <catch2/catch.hpp>

using namespace cinnabar;
using namespace cinnabar::daemon;

namespace {

const std::string kRegion = "def mean(values):\n    return sum(values) / len(values)\n";

RewriteTask task(std::string instruction = "Return 0 for an empty list.") {
  return {syntax::find_language("python"), "import math\n\n\n",    kRegion,
          "\n\nprint(mean([1]))\n",        std::move(instruction), {}};
}

engine::InfillResult answer(std::string text, std::vector<float> sure = {0.9f, 0.2f, 0.8f}) {
  engine::InfillAnswer one{std::move(text), engine::StopReason::hole_end, static_cast<int>(sure.size())};
  for (std::size_t i = 0; i < sure.size(); ++i) one.path.push_back({static_cast<std::int32_t>(i), sure[i], i + 1, 0});
  engine::InfillResult result;
  result.answers.push_back(std::move(one));
  return result;
}

}  // namespace

TEST_CASE("the head of a function stays, the region is the draft, and the answer becomes the region") {
  RewriteMachine rewrite(task(), {});
  REQUIRE(rewrite.request() != nullptr);
  CHECK(rewrite.request()->parts.back().text.ends_with("```python\ndef mean(values):\n"));
  CHECK(rewrite.request()->former == "    return sum(values) / len(values)\n```");
  CHECK(rewrite.request()->other_end("    return 1\n```\nThat is") == std::size_t{13});
  rewrite.take(answer("    return sum(values) / len(values) if values else 0\n"));
  CHECK(rewrite.request() == nullptr);
  REQUIRE(rewrite.result());
  CHECK(*rewrite.result() == "def mean(values):\n    return sum(values) / len(values) if values else 0\n");
}

TEST_CASE("an instruction about the signature lets the model write it") {
  RewriteMachine rewrite(task("Add type annotations."), {});
  CHECK(rewrite.request()->parts.back().text.ends_with("```python\n"));
  CHECK(rewrite.request()->former.starts_with("def mean"));
}

TEST_CASE(
    "where the text would stay, it is forbidden where the model doubted it, and the likelier by instruction wins") {
  RewriteMachine rewrite(task(), {.doubts = 2});
  rewrite.take(answer("    return sum(values) / len(values)\n"));
  REQUIRE(rewrite.request() != nullptr);
  CHECK(rewrite.request()->resume.tokens.size() == 1);  // the second token had 0.2
  CHECK(rewrite.request()->resume.forbidden == std::vector<std::int32_t>{1});
  rewrite.take(answer("    return 1\n", {0.5f}));
  REQUIRE(rewrite.request() != nullptr);
  CHECK(rewrite.request()->resume.tokens.size() == 2);
  rewrite.take(answer("    return 2\n", {0.4f}));
  REQUIRE(rewrite.request() != nullptr);  // how likely are they when nothing in particular is asked for?
  CHECK(rewrite.request()->scored == "    return 1\n");
  rewrite.take(answer("    return 1\n", {0.5f}));
  rewrite.take(answer("    return 2\n", {0.1f}));
  CHECK(rewrite.request() == nullptr);
  REQUIRE(rewrite.result());
  CHECK(*rewrite.result() == "def mean(values):\n    return 2\n");
}

TEST_CASE("what may not be taken is refused in one sentence") {
  struct Case {
    const char* text;
    const char* why;
  };
  const Case cases[] = {
      {"    return sum(values) / len(values)\n", "the model would leave it as it is"},
      {"    return (sum(values\n", "the file would parse worse with the model's answer"},
      {"    x = 1\n    x = 1\n    x = 1\n    x = 1\n", "the model's answer fell apart"},
  };
  for (const Case& c : cases) {
    RewriteMachine rewrite(task(), {.doubts = 1});
    rewrite.take(answer(c.text));
    REQUIRE(rewrite.request() != nullptr);
    rewrite.take(answer(c.text));
    CHECK(rewrite.request() == nullptr);
    CHECK(rewrite.result().message() == c.why);
  }
  RewriteMachine stopped(task(), {});
  auto late = answer("    return 1\n");
  late.answers[0].reason = engine::StopReason::deadline;
  stopped.take(late);
  CHECK(stopped.result().message() == "the model was not done in time");
  RewriteMachine failed(task(), {});
  failed.failed(Status::error("llama: the model has no token <|im_start|>"));
  CHECK(failed.result().message() == "llama: the model has no token <|im_start|>");
}
