#include "daemon/server/stats.h"

#include <algorithm>
#include <cmath>

namespace cinnabar::daemon {
namespace {

constexpr std::string_view kStageNames[] = {"queue", "prompt", "denoise", "post", "total", "cached"};
constexpr std::string_view kCountNames[] = {"requests",
                                            "fromCache",
                                            "fromModel",
                                            "empty",
                                            "superseded",
                                            "cancelled",
                                            "stale",
                                            "failed",
                                            "late",
                                            "offered",
                                            "shown",
                                            "accepted",
                                            "partlyAccepted",
                                            "acceptedBytes",
                                            "prefetched",
                                            "modelLoads",
                                            "modelFailures",
                                            "resumed",
                                            "repairs",
                                            "repairForwards",
                                            "repaired",
                                            "editsAsked",
                                            "editsMade",
                                            "editsApplied",
                                            "nextEditsAsked",
                                            "nextEditsOffered",
                                            "nextEditsShown",
                                            "nextEditsAccepted",
                                            "nextEditsRejected"};

double rounded(double milliseconds) { return std::round(milliseconds * 1000) / 1000; }

}  // namespace

void Stats::time(Stage stage, double milliseconds) {
  const std::lock_guard lock(mutex_);
  auto& ring = times_[static_cast<std::size_t>(stage)];
  auto& seen = timed_[static_cast<std::size_t>(stage)];
  if (ring.size() < kWindow)
    ring.push_back(milliseconds);
  else
    ring[seen % kWindow] = milliseconds;
  ++seen;
}

void Stats::count(Count what, std::uint64_t by) {
  const std::lock_guard lock(mutex_);
  counts_[static_cast<std::size_t>(what)] += by;
}

std::uint64_t Stats::value(Count what) const {
  const std::lock_guard lock(mutex_);
  return counts_[static_cast<std::size_t>(what)];
}

lsp::Json Stats::report() const {
  const std::lock_guard lock(mutex_);
  lsp::Json counts, times;
  for (std::size_t i = 0; i < kCounts; ++i) counts[std::string(kCountNames[i])] = counts_[i];
  for (std::size_t i = 0; i < kStages; ++i) {
    lsp::Json& stage = times[std::string(kStageNames[i])];
    if (times_[i].empty()) continue;
    stage["n"] = timed_[i];
    for (const auto& [name, p] : {std::pair("p50", 50.0), {"p95", 95.0}, {"p99", 99.0}})
      stage[name] = rounded(percentile(times_[i], p));
  }
  return {{"counts", std::move(counts)}, {"milliseconds", std::move(times)}};
}

double percentile(std::vector<double> values, double p) {
  const auto rank = static_cast<std::size_t>(std::ceil(p / 100 * static_cast<double>(values.size())));
  const auto nth = values.begin() + static_cast<std::ptrdiff_t>(std::clamp<std::size_t>(rank, 1, values.size()) - 1);
  std::nth_element(values.begin(), nth, values.end());
  return *nth;
}

}  // namespace cinnabar::daemon
