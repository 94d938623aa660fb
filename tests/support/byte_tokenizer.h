// A tokenizer of one token a byte: token t < 256 is byte t, what follows is special and has no bytes. With `plain`
// every token is an ordinary one that stands for "a": for models whose ids mean nothing, so that no token ends an
// answer.
#pragma once

#include <array>
#include <numeric>
#include <vector>

#include "engine/tokenizer/tokenizer.h"

namespace cinnabar::tests {

class ByteTokenizer final : public engine::Tokenizer {
 public:
  explicit ByteTokenizer(std::int32_t size = 288, bool plain = false)
      : size_(size), plain_(plain), sorted_(plain ? size : 256) {
    std::iota(sorted_.begin(), sorted_.end(), 0);
    for (std::size_t i = 0; i < bytes_.size(); ++i) bytes_[i] = plain ? 'a' : static_cast<char>(i);
  }
  std::int32_t size() const override { return size_; }
  std::vector<std::int32_t> encode(std::string_view text) const override {
    std::vector<std::int32_t> tokens;
    for (const char c : text) tokens.push_back(static_cast<unsigned char>(c));
    return tokens;
  }
  std::string_view bytes(std::int32_t token) const override {
    if (token < 0 || token >= size_ || is_special(token)) return {};
    return {&bytes_[static_cast<std::size_t>(token) % bytes_.size()], 1};
  }
  bool is_special(std::int32_t token) const override { return !plain_ && token >= 256; }
  std::optional<std::int32_t> special(std::string_view) const override { return std::nullopt; }
  std::span<const std::int32_t> sorted_by_bytes() const override { return sorted_; }

 private:
  std::int32_t size_;
  bool plain_;
  std::array<char, 256> bytes_{};
  std::vector<std::int32_t> sorted_;
};

}  // namespace cinnabar::tests
