// Token healing: a hole often starts inside a token, because the user's typed bytes end where no token of the right
// completion does. The prompt is then cut back to a place where the tokenizer splits whatever follows
// (Tokenizer::last_split), and the first tokens of the hole must spell what was typed. This says where no token can reach
// across, and which tokens can come first.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/tokenizer/tokenizer.h"

namespace cinnabar::engine {

// `text` without the bytes that no token of one byte stands for, which encode() leaves out, too.
std::string spellable(const Tokenizer& tokenizer, std::string_view text);

// Sets `bitmap` to ceil(V / 64) words, V = tokenizer.size(); bit t % 64 of word t / 64 is set where ordinary token t's
// bytes start with `typed` (the token finishes it and may go on) or are a non-empty prefix of it (the next token goes
// on from there). Empty `typed`: all ordinary tokens. Special tokens never. O(log V) in the length of the longest
// token, plus the bits set.
void tokens_consistent_with(const Tokenizer& tokenizer, std::string_view typed, std::vector<std::uint64_t>& bitmap);

// The last place in `text` that no ordinary token reaches across, whatever text follows: pieces of SentencePiece, and
// merges where there are no words, never join what no token holds. 0 where it lies more than kHealingWindow bytes back.
inline constexpr std::size_t kHealingWindow = 512;
std::size_t last_uncrossed(const Tokenizer& tokenizer, std::string_view text);

}  // namespace cinnabar::engine
