#include "engine/decode.h"

#include <algorithm>

namespace cinnabar::engine {
namespace {

using Clock = std::chrono::steady_clock;

std::optional<StopReason> stop_reason(const DecodeLimits& limits) {
  if (limits.cancel.stop_requested()) return StopReason::cancelled;
  if (limits.deadline && Clock::now() >= *limits.deadline) return StopReason::deadline;
  return std::nullopt;
}

std::vector<Decoding*> open_ones(std::span<Decoding* const> decodings) {
  std::vector<Decoding*> open;
  std::copy_if(decodings.begin(), decodings.end(), std::back_inserter(open),
               [](Decoding* d) { return !d->answer().complete(); });
  return open;
}

int answer_tokens(std::span<Decoding* const> decodings) {
  int tokens = 0;
  for (Decoding* decoding : decodings) tokens += static_cast<int>(decoding->answer().tokens().size());
  return tokens;
}

// One forward for all open decodings.
Status step(Network& network, std::span<Decoding* const> open, DecodeStats& stats) {
  std::vector<ForwardSegment> segments;
  std::vector<kernels::ScoreRequest> requests;
  std::vector<std::size_t> judged;
  for (Decoding* decoding : open) {
    Proposal proposal;
    decoding->propose(proposal);
    stats.rows += static_cast<int>(proposal.segment.rows.size());
    segments.push_back(std::move(proposal.segment));
    requests.insert(requests.end(), proposal.requests.begin(), proposal.requests.end());
    judged.push_back(proposal.requests.size());
  }
  std::vector<kernels::Score> scores(requests.size());
  if (Status ran = network.forward(segments, requests, scores); !ran) return ran;
  ++stats.nfe;
  std::span<const kernels::Score> left(scores);
  for (std::size_t i = 0; i < open.size(); ++i) {
    open[i]->absorb(left.first(judged[i]));
    open[i]->answer().forget_bitmaps();
    left = left.subspan(judged[i]);
  }
  return {};
}

}  // namespace

Result<DecodeStats> decode(Network& network, std::span<Decoding* const> decodings, const DecodeLimits& limits,
                           const StepObserver& observer) {
  DecodeStats stats;
  const auto start = Clock::now();
  for (auto open = open_ones(decodings); !open.empty(); open = open_ones(decodings)) {
    if (const auto reason = stop_reason(limits)) {
      for (Decoding* decoding : open) decoding->stop(*reason);
      break;
    }
    const int before = answer_tokens(decodings);
    if (Status ran = step(network, open, stats); !ran) return ran;
    stats.tokens_per_step.push_back(answer_tokens(decodings) - before);
    stats.milliseconds = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
    if (observer) observer(decodings, stats);
  }
  return stats;
}

}  // namespace cinnabar::engine
