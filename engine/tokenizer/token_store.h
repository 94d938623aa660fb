// What every tokenizer keeps of its vocabulary: each token's bytes, which ids are special, and the order by bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace cinnabar::engine {

inline constexpr std::size_t kMostTokens = std::size_t{1} << 22;
inline constexpr std::size_t kMostTokenBytes = std::size_t{1} << 28;  // of all tokens together

enum class TokenKind : std::uint8_t {
  byte_level,  // ordinary, made by encode()
  literal,     // ordinary, but plain text that no merge makes: encode() never yields it, decode() gives its text
  special,     // control, unknown, reserved: no bytes
  absent,      // no token has this id
};

// A user-defined token is markup such as <tool_call> or <|sep|> (special here) or plain text such as a run of spaces.
TokenKind user_defined_kind(std::string_view text);

// 'text' for a message, shortened.
std::string quoted(std::string_view text);

// Filled by add() in order of ids, then finish() once; immutable and thread-safe from there on. Owns all text.
class TokenStore {
 public:
  // `bytes` is what an ordinary token stands for, `literal` a special token's spelling. Error: too many tokens or
  // bytes.
  Status add(TokenKind kind, std::string_view bytes, std::string_view literal);
  void finish();

  std::int32_t size() const { return static_cast<std::int32_t>(kinds_.size()); }
  // Empty for special tokens and ids out of range.
  std::string_view bytes(std::int32_t token) const {
    if (token < 0 || token >= size()) return {};
    return std::string_view(text_).substr(offsets_[token], offsets_[token + 1] - offsets_[token]);
  }
  // absent for ids out of range.
  TokenKind kind(std::int32_t token) const { return token < 0 || token >= size() ? TokenKind::absent : kinds_[token]; }
  std::optional<std::int32_t> special(std::string_view literal) const;
  std::span<const std::int32_t> sorted_by_bytes() const { return sorted_; }
  // The byte_level token of exactly these bytes with the smallest id, or -1.
  std::int32_t find(std::string_view bytes) const;

 private:
  std::string text_;                                            // all tokens' bytes, one behind the other
  std::vector<std::size_t> offsets_{0};                         // [V + 1] into text_
  std::vector<TokenKind> kinds_;                                // [V]
  std::vector<std::int32_t> sorted_;                            // ordinary ids by bytes, then id
  std::vector<std::pair<std::string, std::int32_t>> specials_;  // by literal
};

}  // namespace cinnabar::engine
