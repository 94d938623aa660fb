#include "daemon/completion/gate.h"

#include <algorithm>
#include <cmath>

namespace cinnabar::daemon {
namespace {

// tests/holes/fit_gate.py on 658 answers of the default model (verified, int8) to the held-out holes, 21 November 2026:
// fitted on 327 of them, measured on the other 331, of which 30.5 % were right. Shown are then
//   balanced  57.7 % of the answers, 48.7 % of those right, 92.1 % of the right ones among them
//   quiet     27.2 % of the answers, 70.0 % of those right, 62.4 % of the right ones among them
constexpr double kConstant = -0.461, kOfSum = 0.535, kOfLeast = 0.477, kOfLeastMargin = 1.740, kOfLogTokens = -0.031;
constexpr double kBalanced = 0.159, kQuiet = 0.506;
constexpr double kLeastProbability = 1e-4;  // less counts as this

// A token that the model itself took for less likely than all others together is a guess.
constexpr float kDoubtful = 0.5f;

double threshold(Eagerness eagerness) {
  switch (eagerness) {
    case Eagerness::eager:
      return 0;
    case Eagerness::balanced:
      return kBalanced;
    case Eagerness::quiet:
      return kQuiet;
  }
  return 0;
}

}  // namespace

std::optional<Eagerness> parse_eagerness(std::string_view text) {
  if (text == "eager") return Eagerness::eager;
  if (text == "balanced") return Eagerness::balanced;
  if (text == "quiet") return Eagerness::quiet;
  return std::nullopt;
}

double sureness(std::span<const engine::InfillToken> tokens) {
  if (tokens.empty()) return 1;
  double sum = 0, least = 0, least_margin = 1;
  for (const auto& token : tokens) {
    const double log = std::log(std::max(static_cast<double>(token.probability), kLeastProbability));
    sum += log;
    least = std::min(least, log);
    least_margin = std::min(least_margin, static_cast<double>(token.margin));
  }
  const double z = kConstant + kOfSum * sum + kOfLeast * least + kOfLeastMargin * least_margin +
                   kOfLogTokens * std::log(static_cast<double>(tokens.size()));
  return 1 / (1 + std::exp(-z));
}

bool is_sure(std::span<const engine::InfillToken> tokens, Eagerness eagerness) {
  return sureness(tokens) >= threshold(eagerness);
}

std::size_t sure_bytes(std::string_view text, std::span<const engine::InfillToken> tokens, Eagerness eagerness) {
  if (is_sure(tokens, eagerness)) return text.size();
  const auto doubtful =
      std::find_if(tokens.begin(), tokens.end(), [](const auto& token) { return token.probability < kDoubtful; });
  if (doubtful == tokens.begin() || doubtful == tokens.end()) return 0;
  const std::size_t begin = std::min(std::prev(doubtful)->end, text.size());
  const std::size_t newline = begin == 0 ? std::string_view::npos : text.rfind('\n', begin - 1);
  if (newline == std::string_view::npos) return 0;
  const std::size_t length = text.find_last_not_of(" \t\r\n", newline) + 1;  // npos + 1 is 0
  const auto behind = std::find_if(tokens.begin(), doubtful, [&](const auto& token) { return token.end >= length; });
  const std::span<const engine::InfillToken> kept(tokens.begin(), behind == doubtful ? behind : std::next(behind));
  return length > 0 && !kept.empty() && is_sure(kept, eagerness) ? length : 0;
}

}  // namespace cinnabar::daemon
