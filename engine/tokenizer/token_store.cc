#include "engine/tokenizer/token_store.h"

#include <algorithm>

namespace cinnabar::engine {

TokenKind user_defined_kind(std::string_view text) {
  const bool markup = text.size() > 2 && text.front() == '<' && text.back() == '>';
  return markup ? TokenKind::special : TokenKind::literal;
}

std::string quoted(std::string_view text) {
  return "'" + std::string(text.substr(0, 100)) + (text.size() > 100 ? "...'" : "'");
}

Status TokenStore::add(TokenKind kind, std::string_view bytes, std::string_view literal) {
  if (kinds_.size() == kMostTokens || bytes.size() > kMostTokenBytes - text_.size()) {
    return Status::error("token " + std::to_string(kinds_.size()) + " exceeds the limits of " +
                         std::to_string(kMostTokens) + " tokens and " + std::to_string(kMostTokenBytes) +
                         " bytes of them together");
  }
  if (kind == TokenKind::special) specials_.emplace_back(literal, size());
  if (kind == TokenKind::byte_level || kind == TokenKind::literal) text_ += bytes;
  offsets_.push_back(text_.size());
  kinds_.push_back(kind);
  return Status();
}

void TokenStore::finish() {
  std::sort(specials_.begin(), specials_.end());
  for (std::int32_t id = 0; id < size(); ++id) {
    if (!bytes(id).empty()) sorted_.push_back(id);
  }
  std::sort(sorted_.begin(), sorted_.end(), [&](std::int32_t a, std::int32_t b) {
    const int order = bytes(a).compare(bytes(b));
    return order != 0 ? order < 0 : a < b;
  });
}

std::optional<std::int32_t> TokenStore::special(std::string_view literal) const {
  const auto found = std::lower_bound(specials_.begin(), specials_.end(), literal,
                                      [](const auto& entry, std::string_view wanted) { return entry.first < wanted; });
  if (found == specials_.end() || found->first != literal) return std::nullopt;
  return found->second;
}

std::int32_t TokenStore::find(std::string_view wanted) const {
  auto found = std::lower_bound(sorted_.begin(), sorted_.end(), wanted,
                                [&](std::int32_t id, std::string_view text) { return bytes(id) < text; });
  for (; found != sorted_.end() && bytes(*found) == wanted; ++found) {
    if (kinds_[*found] == TokenKind::byte_level) return *found;
  }
  return -1;
}

}  // namespace cinnabar::engine
