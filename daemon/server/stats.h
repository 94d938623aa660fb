// What the daemon counts and times, over all its clients: sizes and times, never text.
//
// Thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <vector>

#include "lsp/response.h"

namespace cinnabar::daemon {

enum class Stage : std::uint8_t {
  queue,    // until the model turned to the request
  prompt,   // reading what is not kept of it
  denoise,  // forwards of the answer
  post,     // from the model's last forward to the reply
  total,    // from the request to the reply, answers without the model included
  cached,   // the same of answers without the model alone
};
enum class Count : std::uint8_t {
  requests,
  from_cache,  // answered without the model
  from_model,  // answered with text by the model
  empty,       // answered with nothing to show
  superseded,  // a newer request of the document came first
  cancelled,   // by the client
  stale,       // the document changed meanwhile
  failed,
  late,     // nothing to show when its time was up
  offered,  // items sent
  shown,    // the three of them as far as clients tell
  accepted,
  partly_accepted,
  accepted_bytes,
  prefetched,
  model_loads,
  model_failures,   // loads that failed
  resumed,          // sessions that were begun with a daemon that is gone
  repairs,          // times that a faulted answer was asked for again from where it went wrong
  repair_forwards,  // of the model, for that
  repaired,         // answers that are right because of it
  edits_asked,      // code actions and commands
  edits_made,       // edits handed to the client
  edits_applied,    // of commands: the document has become what the edit makes of it
};

class Stats {
 public:
  void time(Stage stage, double milliseconds);
  void count(Count what, std::uint64_t by = 1);
  std::uint64_t value(Count what) const;

  // {"counts": {"requests": 7, ...}, "milliseconds": {"queue": {"n", "p50", "p95", "p99"}, ...}}: percentiles over the
  // last `kWindow` of each stage; null where there was none.
  lsp::Json report() const;

  static constexpr std::size_t kWindow = 1024;

 private:
  static constexpr std::size_t kStages = static_cast<std::size_t>(Stage::cached) + 1;
  static constexpr std::size_t kCounts = static_cast<std::size_t>(Count::edits_applied) + 1;
  mutable std::mutex mutex_;
  std::array<std::vector<double>, kStages> times_;  // rings
  std::array<std::uint64_t, kStages> timed_{};
  std::array<std::uint64_t, kCounts> counts_{};
};

// The p-th percentile (0 < p <= 100) by nearest rank; `values` not empty.
double percentile(std::vector<double> values, double p);

}  // namespace cinnabar::daemon
