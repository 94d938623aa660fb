#include "engine/decoding/denoise_options.h"

#include <catch2/catch.hpp>
#include <limits>

namespace cinnabar::engine {
namespace {

TEST_CASE("fields take what they give, and nothing else") {
  struct Case {
    const char *name, *good, *bad, *expected;
  };
  for (const Case& test :
       std::vector<Case>{{"threshold", "0.25", "1.5", "expected a number from 0 to 1"},
                         {"threshold", "0.25", "nan", "expected a number from 0 to 1"},
                         {"quota", "3", "0", "expected a number from 1 to 1024"},
                         {"steps", "16", "16 ", "expected a number from 1 to 4096"},
                         {"schedule", "timestep", "none", "expected one of even, timestep"},
                         {"confidence", "entropy", "sure", "expected one of probability, margin, entropy, random"},
                         {"reuse", "dual", "", "expected one of exact, prefix, dual"},
                         {"remask", "wino", "on", "expected one of none, p2, remdm, wino"},
                         {"remask-count", "2", "0", "expected a number from 1 to 1024"},
                         {"remask-threshold", "0.5", "2", "expected a number from 0 to 1"},
                         {"expand", "off", "true", "expected one of off, on"}}) {
    INFO(test.name);
    const DenoiseField* field = find_denoise_field(test.name);
    REQUIRE(field != nullptr);
    DenoiseOptions options;
    CHECK(get_field(*field, options).empty());
    CHECK(set_field(*field, test.bad, options) == test.expected);
    CHECK(options == DenoiseOptions{});
    CHECK_FALSE(set_field(*field, test.good, options));
    CHECK(get_field(*field, options) == test.good);
  }
  CHECK(find_denoise_field("nosuch") == nullptr);
}

TEST_CASE("what is said goes before what is not, and a rule before another one whole") {
  const DenoiseOptions model{.quota = 1, .schedule = Quota::timestep, .confidence = Confidence::margin, .block = 64};
  DenoiseOptions wanted{.reuse = Reuse::dual};
  DenoiseOptions both = over(wanted, model);
  CHECK(both.quota == 1);
  CHECK(both.confidence == Confidence::margin);
  CHECK(both.block == 64);
  CHECK(both.reuse == Reuse::dual);
  both = over({.threshold = 0.5f}, model);  // not measured by the margin, and without a least number
  CHECK_FALSE(both.quota);
  CHECK_FALSE(both.confidence);
  CHECK(both.block == 64);
  CHECK(over({.steps = 4}, model).schedule == Quota::timestep);
  CHECK_FALSE(over({.steps = 4}, model).quota);
}

TEST_CASE("a way of remasking goes before another one with all that is its own") {
  const DenoiseOptions dreamon{.quota = 1, .schedule = Quota::timestep, .confidence = Confidence::negative_entropy};
  const DenoiseOptions p2{.steps = 8, .remask = Remask::p2};
  const DenoiseOptions wino{.threshold = 0.7f, .remask = Remask::wino, .remask_threshold = 0.8f};
  const DenoiseOptions remdm{.remask = Remask::remdm, .remask_count = 2};
  const DenoiseOptions grows{.expand = true, .broadcast = true, .longest_hole = 64};
  struct Case {
    DenoiseOptions said, otherwise, both;
  };
  for (const Case& test : std::vector<Case>{
           {{.remask = Remask::p2}, dreamon, {.remask = Remask::p2}},
           {{.remask = Remask::wino}, dreamon, {.remask = Remask::wino}},
           {{.remask = Remask::p2}, wino, {.remask = Remask::p2}},
           {{.steps = 5}, p2, {.steps = 5, .remask = Remask::p2}},
           {{.quota = 2}, p2, {.quota = 2}},
           {{.steps = 5}, wino, {.steps = 5}},
           {{.remask = Remask::none}, wino, {.threshold = 0.7f, .remask = Remask::none}},
           {{.remask_threshold = 0.5f}, wino, {.threshold = 0.7f, .remask = Remask::wino, .remask_threshold = 0.5f}},
           {{.quota = 3}, remdm, {.quota = 3, .remask = Remask::remdm, .remask_count = 2}},
           {remdm, grows, remdm},
           {{.block = 4}, grows, {.block = 4, .expand = true, .broadcast = true, .longest_hole = 64}}}) {
    const DenoiseOptions both = over(test.said, test.otherwise);
    INFO(&test);
    CHECK(both == test.both);
    CHECK_FALSE(contradiction(both));
  }
}

TEST_CASE("the rule that options come to") {
  struct Case {
    DenoiseOptions options;
    Rule rule;
    float value;
  };
  for (const Case& test : std::vector<Case>{{{}, Rule::threshold, 0.9f},
                                            {{.threshold = 0.5f}, Rule::threshold, 0.5f},
                                            {{.threshold = 0.5f, .steps = 8}, Rule::threshold, 0.5f},
                                            {{.factor = 1.0f}, Rule::factor, 1.0f},
                                            {{.entropy_bound = 0.3f}, Rule::entropy_bound, 0.3f},
                                            {{.quota = 2}, Rule::quota, 0.9f},
                                            {{.steps = 2}, Rule::quota, 0.9f},
                                            {{.remask = Remask::p2}, Rule::quota, 0.9f},
                                            {{.remask = Remask::remdm}, Rule::threshold, 0.9f},
                                            {{.remask = Remask::wino}, Rule::threshold, 0.6f},
                                            {{.threshold = 0.5f, .remask = Remask::wino}, Rule::threshold, 0.5f}}) {
    CHECK(choice_of(test.options).rule == test.rule);
    CHECK(choice_of(test.options).value == test.value);
    CHECK_FALSE(contradiction(test.options));
  }
}

TEST_CASE("what cannot all hold is said") {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  for (const auto& [options, part] : std::vector<std::pair<DenoiseOptions, const char*>>{
           {{.threshold = 0.9f, .factor = 1.0f}, "give one of them"},
           {{.quota = 1, .steps = 2}, "give one of them"},
           {{.factor = 1.0f, .quota = 1}, "go with a threshold or alone"},
           {{.entropy_bound = 1.0f, .confidence = Confidence::margin}, "no confidence with it"},
           {{.confidence = Confidence::random}, "goes with quota or steps alone"},
           {{.threshold = 0.5f, .confidence = Confidence::negative_entropy}, "goes with quota or steps alone"},
           {{.position_temperature = 1.0f}, "goes with one of them alone"},
           {{.search = true, .first_length = 4}, "give one of them"},
           {{.remask_count = 2}, "go with remask remdm"},
           {{.remask = Remask::p2, .remask_steps = 2}, "go with remask remdm"},
           {{.remask = Remask::remdm, .remask_threshold = 0.5f}, "goes with remask wino"},
           {{.broadcast = true, .remask = Remask::remdm}, "keeps its length"},
           {{.threshold = 0.5f, .remask = Remask::p2}, "steps and a confidence other than random go with it"},
           {{.confidence = Confidence::random, .remask = Remask::p2}, "other than random"},
           {{.steps = 4, .remask = Remask::wino}, "only a threshold goes with it"},
           {{.confidence = Confidence::margin, .remask = Remask::wino}, "only a threshold goes with it"},
           {{.remask = Remask::remdm, .remask_count = 0}, "remask-count is 0, expected 1 to 1024"},
           {{.block = 0}, "block is 0, expected 1 to 1024"},
           {{.block = 2000}, "block is 2000, expected 1 to 1024"},
           {{.guidance = kNan}, "guidance is nan, expected 0 to 20"},
           {{.threshold = -1.0f}, "threshold is -1, expected 0 to 1"}}) {
    INFO(part);
    const auto said = contradiction(options);
    REQUIRE(said);
    CHECK(said->find(part) != std::string::npos);
  }
}

}  // namespace
}  // namespace cinnabar::engine
