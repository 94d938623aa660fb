#include "engine/tokenizer/healing.h"

#include <algorithm>

namespace cinnabar::engine {

namespace {

using Tokens = std::span<const std::int32_t>;

// Of tokens that share their first `length` - 1 bytes, sorted, those whose next one is `wanted`.
Tokens with_next_byte(const Tokenizer& tokenizer, Tokens tokens, std::size_t length, unsigned char wanted) {
  const auto next_byte = [&](std::int32_t token) {
    const std::string_view bytes = tokenizer.bytes(token);
    return bytes.size() < length ? -1 : static_cast<int>(static_cast<unsigned char>(bytes[length - 1]));
  };
  const auto low = std::partition_point(tokens.begin(), tokens.end(), [&](auto t) { return next_byte(t) < wanted; });
  const auto high = std::partition_point(low, tokens.end(), [&](auto t) { return next_byte(t) <= wanted; });
  return {low, high};
}

// How far a token that begins `text` can reach, in bytes; more than its size where one goes on behind its end.
std::size_t reach(const Tokenizer& tokenizer, std::string_view text) {
  Tokens range = tokenizer.sorted_by_bytes();
  std::size_t longest = 0;
  for (std::size_t length = 1; length <= text.size(); ++length) {
    range = with_next_byte(tokenizer, range, length, static_cast<unsigned char>(text[length - 1]));
    if (range.empty()) return longest;
    if (tokenizer.bytes(range.front()).size() == length) longest = length;  // the shorter ones stand first
  }
  return range.empty() || tokenizer.bytes(range.back()).size() == text.size() ? longest : text.size() + 1;
}

}  // namespace

std::size_t last_uncrossed(const Tokenizer& tokenizer, std::string_view text) {
  // A token that begins in front of the window may reach into it, so the window's first half only tells.
  const std::size_t begin = text.size() - std::min(text.size(), 2 * kHealingWindow);
  const std::size_t first = text.size() - std::min(text.size(), kHealingWindow);
  std::size_t last = 0;
  for (std::size_t at = begin, reached = begin; at < text.size(); ++at) {
    if (reached <= at && at >= first) last = at;
    reached = std::max(reached, at + reach(tokenizer, text.substr(at)));
    if (reached > text.size()) return last;
  }
  return text.size();
}

std::string spellable(const Tokenizer& tokenizer, std::string_view text) {
  const auto sorted = tokenizer.sorted_by_bytes();
  std::string spelled;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view byte = text.substr(i, 1);
    const auto found =
        std::lower_bound(sorted.begin(), sorted.end(), byte,
                         [&](std::int32_t token, std::string_view b) { return tokenizer.bytes(token) < b; });
    if (found != sorted.end() && tokenizer.bytes(*found) == byte) spelled += text[i];
  }
  return spelled;
}

void tokens_consistent_with(const Tokenizer& tokenizer, std::string_view typed, std::vector<std::uint64_t>& bitmap) {
  bitmap.assign((static_cast<std::size_t>(tokenizer.size()) + 63) / 64, 0);
  const auto set = [&](std::int32_t token) { bitmap[token / 64] |= std::uint64_t{1} << (token % 64); };
  Tokens range = tokenizer.sorted_by_bytes();
  // The range narrows to the tokens that start with typed[0, length); the ones that end there stand first in it.
  for (std::size_t length = 1; length <= typed.size() && !range.empty(); ++length) {
    const auto wanted = static_cast<unsigned char>(typed[length - 1]);
    range = with_next_byte(tokenizer, range, length, wanted);
    for (const std::int32_t token : range) {
      if (tokenizer.bytes(token).size() > length) break;
      set(token);
    }
  }
  for (const std::int32_t token : range) set(token);
}

}  // namespace cinnabar::engine
