#include "daemon/completion/gate.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "daemon/syntax/cuts.h"

namespace cinnabar::daemon {
namespace {

constexpr double kLeastProbability = 1e-4;  // less counts as this

// A line less sure than this share of its threshold is a guess. When all tokens of an answer of several lines were judged
// together, 19 of those 56 were shown, 13 of the 20 among them: the same two of three right.
constexpr double kGuess = 0.25;

// Each token of a name that is shown without the rest of its line. Of the answers at the 191 places of `cinnabar eval typing`
// that were held back, 12 begin with a name that is as sure as this, and all 12 names are what was written.
constexpr float kSureName = 0.95f;
constexpr std::string_view kBetweenNames = ".:->";

double threshold(Eagerness eagerness, const GateWeights& weights) {
  switch (eagerness) {
    case Eagerness::eager:
      return 0;
    case Eagerness::balanced:
      return weights.balanced;
    case Eagerness::quiet:
      return weights.quiet;
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

double sureness(std::span<const engine::InfillToken> tokens, const GateWeights& weights) {
  if (tokens.empty()) return 1;
  double sum = 0, least = 0, least_margin = 1;
  for (const auto& token : tokens) {
    const double log = std::log(std::max(static_cast<double>(token.probability), kLeastProbability));
    sum += log;
    least = std::min(least, log);
    least_margin = std::min(least_margin, static_cast<double>(token.margin));
  }
  const double z = weights.constant + weights.sum * sum + weights.least * least + weights.least_margin * least_margin +
                   weights.log_tokens * std::log(static_cast<double>(tokens.size()));
  return 1 / (1 + std::exp(-z));
}

std::vector<LineSureness> line_sureness(std::string_view text, std::span<const engine::InfillToken> tokens,
                                        const GateWeights& weights) {
  std::vector<LineSureness> lines;
  std::size_t begin = 0, first = 0;  // of the token, and of the line's tokens
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const std::size_t end = std::min(tokens[i].end, text.size());
    const std::string_view token = text.substr(std::min(begin, end), end - std::min(begin, end));
    begin = end;
    const bool ends_line = token.find('\n') != std::string_view::npos || i + 1 == tokens.size();
    const bool blank =
        is_blank(text.substr(lines.empty() ? 0 : lines.back().end, end - (lines.empty() ? 0 : lines.back().end)));
    if (!ends_line || (blank && i + 1 < tokens.size())) continue;
    const auto own = tokens.subspan(first, i + 1 - first);
    first = i + 1;
    lines.push_back({end, sureness(own, weights)});
  }
  return lines;
}

bool is_sure(std::span<const LineSureness> lines, Eagerness eagerness, const GateWeights& weights) {
  const double wanted = threshold(eagerness, weights);
  if (lines.empty()) return true;
  double sum = 0, least = 1;
  for (const LineSureness& line : lines) {
    sum += line.sureness;
    least = std::min(least, line.sureness);
  }
  return lines.front().sureness >= wanted && sum >= wanted * static_cast<double>(lines.size()) &&
         least >= wanted * kGuess;
}

bool is_sure(std::string_view text, std::span<const engine::InfillToken> tokens, Eagerness eagerness,
             const GateWeights& weights) {
  return is_sure(line_sureness(text, tokens, weights), eagerness, weights);
}

std::size_t sure_bytes(std::string_view text, std::span<const engine::InfillToken> tokens, Eagerness eagerness,
                       const syntax::Language* language, const GateWeights& weights) {
  const auto lines = line_sureness(text, tokens, weights);
  if (is_sure(lines, eagerness, weights)) return text.size();
  for (const std::size_t length : syntax::cuts(text, language)) {
    const auto end = std::find_if(lines.begin(), lines.end(), [&](const auto& line) { return line.end >= length; });
    if (end == lines.end()) continue;
    const std::span<const LineSureness> kept(lines.begin(), std::next(end));
    if (is_sure(kept, eagerness, weights)) return length;
  }
  return 0;
}

std::size_t sure_name_bytes(std::string_view text, std::span<const engine::InfillToken> tokens, Eagerness eagerness) {
  if (eagerness == Eagerness::quiet) return 0;
  std::size_t sure = 0;
  for (const auto& token : tokens) {
    if (token.probability < kSureName) break;
    sure = std::min(token.end, text.size());
  }
  const auto belongs = [&](char c) { return is_word_byte(c) || kBetweenNames.find(c) != std::string_view::npos; };
  std::size_t end = 0;
  for (std::size_t at = text.find_first_not_of(' '); at < sure && belongs(text[at]); ++at) {
    if (is_word_byte(text[at]) && (at + 1 == text.size() || !is_word_byte(text[at + 1]))) end = at + 1;
  }
  return end >= 2 ? end : 0;
}

}  // namespace cinnabar::daemon
