#include "engine/tokenizer/healing.h"

#include <algorithm>

namespace cinnabar::engine {

void tokens_consistent_with(const Tokenizer& tokenizer, std::string_view typed, std::vector<std::uint64_t>& bitmap) {
  bitmap.assign((static_cast<std::size_t>(tokenizer.size()) + 63) / 64, 0);
  const auto set = [&](std::int32_t token) { bitmap[token / 64] |= std::uint64_t{1} << (token % 64); };
  std::span<const std::int32_t> range = tokenizer.sorted_by_bytes();
  // The range narrows to the tokens that start with typed[0, length); the ones that end there stand first in it.
  for (std::size_t length = 1; length <= typed.size() && !range.empty(); ++length) {
    const auto wanted = static_cast<unsigned char>(typed[length - 1]);
    const auto next_byte = [&](std::int32_t token) {
      const std::string_view bytes = tokenizer.bytes(token);
      return bytes.size() < length ? -1 : static_cast<int>(static_cast<unsigned char>(bytes[length - 1]));
    };
    const auto low = std::partition_point(range.begin(), range.end(), [&](auto t) { return next_byte(t) < wanted; });
    const auto high = std::partition_point(low, range.end(), [&](auto t) { return next_byte(t) <= wanted; });
    range = {low, high};
    for (const std::int32_t token : range) {
      if (tokenizer.bytes(token).size() > length) break;
      set(token);
    }
  }
  for (const std::int32_t token : range) set(token);
}

}  // namespace cinnabar::engine
