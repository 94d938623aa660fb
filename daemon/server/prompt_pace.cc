#include "daemon/server/prompt_pace.h"

namespace cinnabar::daemon {
namespace {

constexpr int kTelling = 64;         // tokens; fewer cost a forward as much as one
constexpr double kInTime = 2000;     // ms, of the five seconds that an answer may take while its user types
constexpr int kMostHalved = 3;       // a thousand bytes say where one is; fewer do not
constexpr double kBytesOfToken = 3;  // of code

engine::PromptBudget halved(engine::PromptBudget budget, int times) {
  budget.prefix_bytes >>= times;
  budget.suffix_bytes >>= times;
  budget.context_tokens >>= times;
  return budget;
}

double tokens_of(const engine::PromptBudget& budget) {
  return static_cast<double>(budget.prefix_bytes + budget.suffix_bytes) / kBytesOfToken +
         static_cast<double>(budget.context_tokens);
}

}  // namespace

void PromptPace::read(int tokens, double milliseconds) {
  if (tokens < kTelling || milliseconds <= 0) return;
  const double now = milliseconds / tokens;
  milliseconds_a_token_ = milliseconds_a_token_ > 0 ? (milliseconds_a_token_ + now) / 2 : now;
}

engine::PromptBudget PromptPace::fitting(const engine::PromptBudget& whole) {
  const auto takes = [&](int times) { return tokens_of(halved(whole, times)) * milliseconds_a_token_; };
  while (halved_ < kMostHalved && takes(halved_) > kInTime) ++halved_;
  while (halved_ > 0 && takes(halved_ - 1) < kInTime / 2) --halved_;
  return halved(whole, halved_);
}

}  // namespace cinnabar::daemon
