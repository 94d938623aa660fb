#include "engine/decoding/options.h"

#include <algorithm>

namespace cinnabar::engine {

PromptBudget budget_of(std::size_t bytes) {
  constexpr PromptBudget kWhole;
  constexpr std::size_t kBytes = kWhole.prefix_bytes + kWhole.suffix_bytes;
  const std::size_t suffix = bytes * kWhole.suffix_bytes / kBytes;
  return {bytes - suffix, suffix, bytes * kWhole.context_tokens / kBytes};
}

std::optional<EndRule> parse_end_rule(std::string_view text) {
  if (text == "line") return EndRule::line;
  if (text == "block") return EndRule::block;
  if (text == "hole") return EndRule::hole;
  return std::nullopt;
}

std::string_view name(StopReason reason) {
  switch (reason) {
    case StopReason::hole_end:
      return "hole_end";
    case StopReason::end_token:
      return "end_token";
    case StopReason::length:
      return "length";
    case StopReason::steps:
      return "steps";
    case StopReason::deadline:
      return "deadline";
    case StopReason::cancelled:
      return "cancelled";
  }
  return "";
}

void add(std::vector<DraftCount>& all, std::span<const DraftCount> more) {
  all.resize(std::max(all.size(), more.size()));
  for (std::size_t i = 0; i < more.size(); ++i) {
    all[i].drafted += more[i].drafted;
    all[i].accepted += more[i].accepted;
  }
}

}  // namespace cinnabar::engine
