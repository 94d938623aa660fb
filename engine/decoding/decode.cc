#include "engine/decoding/decode.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace cinnabar::engine {

bool Decoding::complete() {
  const auto all = answers();
  return std::all_of(all.begin(), all.end(), [](const Answer& answer) { return answer.complete(); });
}

int Decoding::tokens() {
  std::size_t tokens = 0;
  for (const Answer& answer : answers()) tokens += answer.tokens().size();
  return static_cast<int>(tokens);
}

std::optional<StopReason> stop_reason(const DecodeLimits& limits) {
  if (limits.cancel.stop_requested()) return StopReason::cancelled;
  if (limits.deadline && std::chrono::steady_clock::now() >= *limits.deadline) return StopReason::deadline;
  return std::nullopt;
}

Result<int> run_step(Network& network, std::span<Decoding* const> decodings, std::vector<ForwardSegment> prompts) {
  std::vector<ForwardSegment> segments = std::move(prompts);
  std::vector<kernels::ScoreRequest> requests;
  std::vector<std::pair<Decoding*, std::size_t>> judged;  // and how many rows of each
  for (Decoding* decoding : decodings) {
    if (decoding->complete()) continue;
    Proposal proposal;
    decoding->propose(proposal);
    decoding->rows_ += static_cast<int>(proposal.segment.rows.size());
    requests.insert(requests.end(), proposal.requests.begin(), proposal.requests.end());
    judged.emplace_back(decoding, proposal.requests.size());
    segments.push_back(std::move(proposal.segment));
  }
  std::vector<kernels::Score> scores(requests.size());
  if (Status ran = network.forward(segments, requests, scores); !ran) return ran;
  std::span<const kernels::Score> left(scores);
  for (const auto& [decoding, rows] : judged) {
    decoding->absorb(left.first(rows));
    for (Answer& answer : decoding->answers()) answer.forget_bitmaps();
    left = left.subspan(rows);
  }
  int rows = 0;
  for (const ForwardSegment& segment : segments) rows += static_cast<int>(segment.rows.size());
  return rows;
}

}  // namespace cinnabar::engine
