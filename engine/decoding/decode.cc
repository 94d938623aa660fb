#include "engine/decoding/decode.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "engine/decoding/host_judge.h"

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

namespace {

// A proposal whose logits are worked on: a forward of its own, and one without the given text under guidance.
Status score_by_logits(Network& network, const Proposal& proposal, const LogitsSink& sink,
                       std::vector<kernels::Score>& scores) {
  std::vector<float> logits, unguided;
  if (Status ran = network.forward_logits({&proposal.segment, 1}, logits); !ran) return ran;
  const auto vocabulary = static_cast<std::size_t>(network.spec().vocabulary);
  std::size_t judged = 0;
  for (const ForwardRow& row : proposal.segment.rows) {
    if (sink && row.judged) sink(row.slot, std::span(logits).subspan(judged++ * vocabulary, vocabulary));
  }
  if (proposal.guidance > 0) {
    if (Status ran = network.forward_logits({&proposal.unguided, 1}, unguided); !ran) return ran;
    guide(logits, unguided, proposal.guidance);
  }
  for (std::size_t row = 0; row < proposal.requests.size(); ++row)
    scores.push_back(judge_logits(std::span(logits).subspan(row * vocabulary, vocabulary), proposal.requests[row],
                                  proposal.sampling));
  return {};
}

}  // namespace

void Decoding::take(std::span<const kernels::Score> scores) {
  absorb(scores);
  for (Answer& answer : answers()) answer.forget_bitmaps();
}

Result<int> run_step(Network& network, std::span<Decoding* const> decodings, std::vector<ForwardSegment> prompts,
                     const LogitsSink& sink) {
  std::vector<ForwardSegment> segments = std::move(prompts);
  std::vector<kernels::ScoreRequest> requests;
  std::vector<std::pair<Decoding*, std::size_t>> judged;  // and how many rows of each
  int rows = 0;
  for (Decoding* decoding : decodings) {
    if (decoding->complete()) continue;
    Proposal proposal;
    decoding->propose(proposal);
    const auto own = static_cast<int>(proposal.segment.rows.size() + proposal.unguided.rows.size());
    decoding->rows_ += own;
    if (proposal.by_logits() || sink) {
      std::vector<kernels::Score> scores;
      if (Status ran = score_by_logits(network, proposal, sink, scores); !ran) return ran;
      decoding->take(scores);
      rows += own;
      continue;
    }
    requests.insert(requests.end(), proposal.requests.begin(), proposal.requests.end());
    judged.emplace_back(decoding, proposal.requests.size());
    segments.push_back(std::move(proposal.segment));
  }
  if (segments.empty()) return rows;
  std::vector<kernels::Score> scores(requests.size());
  if (Status ran = network.forward(segments, requests, scores); !ran) return ran;
  std::span<const kernels::Score> left(scores);
  for (const auto& [decoding, count] : judged) {
    decoding->take(left.first(count));
    left = left.subspan(count);
  }
  for (const ForwardSegment& segment : segments) rows += static_cast<int>(segment.rows.size());
  return rows;
}

}  // namespace cinnabar::engine
