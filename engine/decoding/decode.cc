#include "engine/decoding/decode.h"

#include <algorithm>

namespace cinnabar::engine {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<Decoding*> open_ones(std::span<Decoding* const> decodings) {
  std::vector<Decoding*> open;
  std::copy_if(decodings.begin(), decodings.end(), std::back_inserter(open),
               [](Decoding* d) { return !d->complete(); });
  return open;
}

int answer_tokens(std::span<Decoding* const> decodings) {
  int tokens = 0;
  for (Decoding* decoding : decodings) tokens += decoding->tokens();
  return tokens;
}

}  // namespace

bool Decoding::complete() {
  const auto all = answers();
  return std::all_of(all.begin(), all.end(), [](const Answer& answer) { return answer.complete(); });
}

int Decoding::tokens() {
  std::size_t tokens = 0;
  for (const Answer& answer : answers()) tokens += answer.tokens().size();
  return static_cast<int>(tokens);
}

void add(std::vector<DraftCount>& all, std::span<const DraftCount> more) {
  all.resize(std::max(all.size(), more.size()));
  for (std::size_t i = 0; i < more.size(); ++i) {
    all[i].drafted += more[i].drafted;
    all[i].accepted += more[i].accepted;
  }
}

std::optional<StopReason> stop_reason(const DecodeLimits& limits) {
  if (limits.cancel.stop_requested()) return StopReason::cancelled;
  if (limits.deadline && Clock::now() >= *limits.deadline) return StopReason::deadline;
  return std::nullopt;
}

void Step::add(ForwardSegment segment) {
  rows_ += static_cast<int>(segment.rows.size());
  segments_.push_back(std::move(segment));
}

int Step::add(Decoding& decoding) {
  Proposal proposal;
  decoding.propose(proposal);
  const auto rows = static_cast<int>(proposal.segment.rows.size());
  requests_.insert(requests_.end(), proposal.requests.begin(), proposal.requests.end());
  judged_.push_back({&decoding, proposal.requests.size()});
  add(std::move(proposal.segment));
  return rows;
}

Status Step::run(Network& network) {
  std::vector<kernels::Score> scores(requests_.size());
  if (Status ran = network.forward(segments_, requests_, scores); !ran) return ran;
  std::span<const kernels::Score> left(scores);
  for (const auto& [decoding, rows] : judged_) {
    decoding->absorb(left.first(rows));
    for (Answer& answer : decoding->answers()) answer.forget_bitmaps();
    left = left.subspan(rows);
  }
  return {};
}

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
    Step step;
    for (Decoding* decoding : open) stats.rows += step.add(*decoding);
    if (Status ran = step.run(network); !ran) return ran;
    ++stats.nfe;
    stats.tokens_per_step.push_back(answer_tokens(decodings) - before);
    stats.milliseconds = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
    if (observer) observer(decodings, stats);
  }
  return stats;
}

}  // namespace cinnabar::engine
