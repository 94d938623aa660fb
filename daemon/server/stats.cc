#include "daemon/server/stats.h"

#include <algorithm>
#include <cmath>

namespace cinnabar::daemon {
namespace {

// The name of each in a report. Both tables have a row for each value, in order: in_order says so to the compiler.
template <typename Enum>
struct NamedValue {
  Enum value;
  std::string_view name;
};
constexpr NamedValue<Stage> kStageNames[] = {
    {Stage::queue, "queue"}, {Stage::prompt, "prompt"}, {Stage::denoise, "denoise"},
    {Stage::post, "post"},   {Stage::total, "total"},   {Stage::cached, "cached"},
};
constexpr NamedValue<Count> kCountNames[] = {
    {Count::requests, "requests"},
    {Count::from_cache, "fromCache"},
    {Count::from_model, "fromModel"},
    {Count::empty, "empty"},
    {Count::superseded, "superseded"},
    {Count::cancelled, "cancelled"},
    {Count::stale, "stale"},
    {Count::failed, "failed"},
    {Count::late, "late"},
    {Count::offered, "offered"},
    {Count::shown, "shown"},
    {Count::accepted, "accepted"},
    {Count::partly_accepted, "partlyAccepted"},
    {Count::accepted_bytes, "acceptedBytes"},
    {Count::prefetched, "prefetched"},
    {Count::model_loads, "modelLoads"},
    {Count::model_failures, "modelFailures"},
    {Count::resumed, "resumed"},
    {Count::repairs, "repairs"},
    {Count::repair_forwards, "repairForwards"},
    {Count::repaired, "repaired"},
    {Count::edits_asked, "editsAsked"},
    {Count::edits_made, "editsMade"},
    {Count::edits_applied, "editsApplied"},
};
template <typename Enum, std::size_t size>
constexpr bool in_order(const NamedValue<Enum> (&names)[size], Enum last) {
  for (std::size_t i = 0; i < size; ++i) {
    if (static_cast<std::size_t>(names[i].value) != i) return false;
  }
  return size == static_cast<std::size_t>(last) + 1;
}
static_assert(in_order(kStageNames, Stage::cached) && in_order(kCountNames, Count::edits_applied));

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
  for (std::size_t i = 0; i < kCounts; ++i) counts[std::string(kCountNames[i].name)] = counts_[i];
  for (std::size_t i = 0; i < kStages; ++i) {
    lsp::Json& stage = times[std::string(kStageNames[i].name)];
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
