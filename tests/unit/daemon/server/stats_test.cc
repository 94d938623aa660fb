#include "daemon/server/stats.h"

#include <catch2/catch.hpp>

namespace cinnabar::daemon {
namespace {

TEST_CASE("percentiles by nearest rank") {
  CHECK(percentile({7}, 50) == 7);
  CHECK(percentile({4, 1, 3, 2}, 50) == 2);
  CHECK(percentile({4, 1, 3, 2}, 95) == 4);
  std::vector<double> values;
  for (int i = 100; i > 0; --i) values.push_back(i);
  CHECK(percentile(values, 99) == 99);
}

TEST_CASE("a report has every count, and percentiles over the last ones of a stage") {
  Stats stats;
  stats.count(Count::requests, 3);
  stats.count(Count::prefetched);
  for (std::size_t i = 0; i < Stats::kWindow; ++i) stats.time(Stage::queue, 1000);
  for (std::size_t i = 0; i < Stats::kWindow; ++i) stats.time(Stage::queue, 2);
  const auto report = stats.report();
  CHECK(report.at("counts").at("requests") == 3);
  CHECK(report.at("counts").at("prefetched") == 1);
  CHECK(report.at("counts").at("acceptedBytes") == 0);
  CHECK(report.at("milliseconds").at("queue").at("n") == 2 * Stats::kWindow);
  CHECK(report.at("milliseconds").at("queue").at("p99") == 2);
  CHECK(report.at("milliseconds").at("cached").is_null());
}

}  // namespace
}  // namespace cinnabar::daemon
