#include "daemon/server/prompt_pace.h"

#include <catch2/catch.hpp>

namespace cinnabar::daemon {
namespace {

using engine::PromptBudget;

TEST_CASE("a prompt is as long as the device reads in time") {
  const PromptBudget whole;  // about 3,270 tokens
  struct Case {
    double milliseconds_a_token;
    std::size_t prefix;
  };
  const auto c = GENERATE(values<Case>({{0.1, 6000}, {0.6, 6000}, {0.7, 3000}, {1.5, 1500}, {3, 750}, {100, 750}}));
  PromptPace pace;
  CHECK(pace.fitting(whole) == whole);  // nothing is known
  pace.read(1000, 1000 * c.milliseconds_a_token);
  CHECK(pace.fitting(whole).prefix_bytes == c.prefix);
  CHECK(pace.fitting(whole).suffix_bytes == c.prefix / 3);
}

TEST_CASE("its length does not go to and fro with the pace") {
  const PromptBudget whole;
  PromptPace pace;
  pace.read(1000, 700);
  CHECK(pace.fitting(whole).prefix_bytes == 3000);
  pace.read(1000, 400);
  CHECK(pace.fitting(whole).prefix_bytes == 3000);
  for (int i = 0; i < 9; ++i) pace.read(1000, 200);
  CHECK(pace.fitting(whole) == whole);
  pace.read(1000, 1e-9);
  pace.read(20, 1e9);  // too few to tell
  pace.read(0, 0);
  CHECK(pace.fitting(whole) == whole);
}

}  // namespace
}  // namespace cinnabar::daemon
