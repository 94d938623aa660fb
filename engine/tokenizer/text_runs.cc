#include "engine/tokenizer/text_runs.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace cinnabar::engine {
namespace {

bool eight_ascii(const char* text) {
  std::uint64_t word;
  std::memcpy(&word, text, sizeof(word));
  return (word & 0x8080808080808080u) == 0;
}

std::size_t valid_prefix(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (at + 8 <= text.size() && eight_ascii(text.data() + at)) {
      at += 8;
      continue;
    }
    const std::size_t length = utf8_character(text.substr(at));
    if (length == 0) break;
    at += length;
  }
  return at;
}

std::size_t invalid_prefix(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && utf8_character(text.substr(at)) == 0) ++at;
  return at;
}

}  // namespace

std::size_t utf8_character(std::string_view text) {
  if (text.empty()) return 0;
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (text.size() < length) return 0;
  // Overlong forms, surrogates and values above U+10FFFF all show in the second byte.
  const unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < low || byte(1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte(i) & 0xC0u) != 0x80u) return 0;
  }
  return length;
}

std::size_t unfinished_character(std::string_view text) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xC0U) == 0x80U) continue;
    const std::size_t need = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
    return need > back ? back : 0;
  }
  return 0;
}

TextRun next_run(std::string_view& text) {
  const std::size_t valid = valid_prefix(text);
  const std::size_t length = valid > 0 ? valid : invalid_prefix(text);
  const TextRun run{text.substr(0, length), valid > 0};
  text.remove_prefix(length);
  return run;
}

}  // namespace cinnabar::engine
