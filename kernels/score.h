// What is asked about a judged row, and what is said of it. Plain values; rows and logits are those of
// Backend::score_rows.
#pragma once

#include <array>
#include <cstdint>
#include <limits>

namespace cinnabar::kernels {

// How a row's token is chosen from its logits and what is said about it.
struct ScoreRequest {
  // Bit t set: token t may be chosen. Null: every token. Not allowed tokens count as absent (probability 0). ceil(V/64)
  // words.
  const std::uint64_t* allowed = nullptr;
  // 0: the largest logit (ties: the smallest id). Above 0: logits / temperature + Gumbel noise, counter based on
  // (seed, step, position, token), so that it is equal for every thread count, batch and device.
  float temperature = 0;
  std::uint64_t seed = 0;
  std::uint32_t step = 0;
  std::uint32_t position = 0;
  std::int32_t asked = -1;  // a token whose logit is wanted too, below V; -1: none
  bool ranked = false;      // whether Score::ranked is wanted
};

// A token and its raw logit; -1: none.
struct RankedToken {
  std::int32_t token = -1;
  float logit = -std::numeric_limits<float>::infinity();
  bool operator==(const RankedToken&) const = default;
};
inline constexpr int kRanked = 6;
using RankedTokens = std::array<RankedToken, kRanked>;

// All that leaves the device about one judged row. Logits are the raw ones (no temperature).
struct Score {
  std::int32_t token = -1;  // the chosen token
  float logit = 0;          // its logit
  std::int32_t best = -1;   // argmax
  float best_logit = 0;
  float second_logit = 0;  // largest logit among the other tokens; -inf when only one is allowed
  float log_sum_exp = 0;   // over the allowed tokens; probability of the chosen one = exp(logit - log_sum_exp)
  float entropy = 0;       // natural logarithm, of the softmax over the allowed tokens
  // Of ScoreRequest::asked; -inf where that is not allowed, or none.
  float asked_logit = -std::numeric_limits<float>::infinity();
  // The allowed tokens of the largest logits, in falling order (ties: the smaller id first), where
  // ScoreRequest::ranked asks for them; fewer than kRanked end with none.
  RankedTokens ranked{};
};

}  // namespace cinnabar::kernels
