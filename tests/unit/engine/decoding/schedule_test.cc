#include "engine/decoding/schedule.h"

#include <catch2/catch.hpp>
#include <vector>

namespace cinnabar::engine {
namespace {

TEST_CASE("even quota: the remainder goes one each to the first steps") {
  CHECK(even_quota(10, 4, 0) == 3);
  CHECK(even_quota(10, 4, 1) == 3);
  CHECK(even_quota(10, 4, 2) == 2);
  CHECK(even_quota(10, 4, 3) == 2);
  CHECK(even_quota(2, 5, 1) == 1);
  CHECK(even_quota(2, 5, 2) == 0);
}

TEST_CASE("either quota unmasks everything by the last step") {
  for (int masked = 0; masked <= 40; ++masked) {
    for (int steps = 1; steps <= 20; ++steps) {
      int even = 0, left = masked;
      for (int step = 0; step < steps; ++step) {
        even += even_quota(masked, steps, step);
        const int count = timestep_quota(left, steps, step);
        REQUIRE(count >= 0);
        REQUIRE(count <= left);
        left -= count;
      }
      REQUIRE(even == masked);
      REQUIRE(left == 0);
    }
  }
}

// t = 1, 0.75025, 0.5005, 0.25075: shares 0.24975, 0.33289, 0.49900, then all.
TEST_CASE("timestep quota: worked by hand for 16 masks and 4 steps") {
  CHECK(timestep_quota(16, 4, 0) == 3);
  CHECK(timestep_quota(13, 4, 1) == 4);
  CHECK(timestep_quota(9, 4, 2) == 4);
  CHECK(timestep_quota(5, 4, 3) == 5);
}

}  // namespace
}  // namespace cinnabar::engine
