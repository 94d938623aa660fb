// Which model is advised, from how soon each answered.
#include "daemon/models/advice.h"

#include <catch2/catch.hpp>

using namespace cinnabar::daemon;
using Catch::Contains;

namespace {

MeasuredModel model(const std::string& name, std::int64_t bytes, double line) {
  MeasuredModel out{name, bytes};
  out.line_milliseconds = line;
  out.prompt_milliseconds = 1;
  out.forward_milliseconds = line / 10;
  out.tokens = 20;
  out.forwards = 10;
  return out;
}

}  // namespace

TEST_CASE("the largest that is soon enough is advised, else the smallest") {
  const auto small = model("small", 100, 80), large = model("large", 300, 250), huge = model("huge", 900, 900);
  CHECK_THAT(advice({small, large, huge}), Contains("large is the largest that answers a line within 300 ms"));
  CHECK_THAT(advice({huge, small}), Contains("small is the largest"));
  CHECK_THAT(advice({huge}), Contains("huge: none answers a line within 300 ms here"));
  CHECK_THAT(advice({small}), Contains("'cinnabar model use small'"));
  CHECK_THAT(advice({}), Contains("No model"));
}

TEST_CASE("a model that is not here is reckoned by its size and forwards") {
  const auto small = model("small", 100, 50);
  const auto other = estimated(small, "other", 300, 1.0);
  CHECK(other.line_milliseconds == Approx(50 * 3 * 2));  // three times the bytes, twice the forwards
  CHECK(other.prompt_milliseconds == Approx(3));
  CHECK(other.forwards == 20);
  const std::string text = advice({small, other});
  CHECK_THAT(text, Contains("about 300") && Contains("other is the largest") && Contains("it is not here yet") &&
                       Contains("only reckoned by its size"));
}
