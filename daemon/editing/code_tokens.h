// Code as words and marks, without a grammar: what edits are compared by. Good for any language, whole or broken.
//
// Pure functions; views into the text that was given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cinnabar::daemon {

struct CodeToken {
  enum class Kind : std::uint8_t { word, number, string, mark };  // mark: one byte of punctuation
  Kind kind = Kind::mark;
  std::string_view text;
  std::size_t begin = 0;  // byte offset in the text
  std::size_t end() const { return begin + text.size(); }
};

// Blanks and line ends are left out. A string ends on its line; a quote without its partner is a mark.
std::vector<CodeToken> code_tokens(std::string_view text);

// A word that many languages reserve ("return", "for", "self"): never renamed, and never taken for a name.
bool is_reserved(std::string_view word);

// Longest common subsequence of two token lists by text: for each token of `one` the index of its partner in `other`,
// or -1. At most kAlignedTokens each; longer lists have no partners.
inline constexpr std::size_t kAlignedTokens = 400;
std::vector<int> align(std::span<const CodeToken> one, std::span<const CodeToken> other);

// `text` with the word `from` turned into `to`, in the way it is written there: user -> account makes userName
// accountName, USER_ID ACCOUNT_ID and LoadUsers LoadAccounts. Unchanged where `from` is no whole part of the word.
std::string with_word_replaced(std::string_view word, std::string_view from, std::string_view to);

}  // namespace cinnabar::daemon
