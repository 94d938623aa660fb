#include "base/line_ends.h"

namespace cinnabar {

bool has_carriage_returns(std::string_view text) {
  const std::size_t newline = text.find('\n');
  return newline != std::string_view::npos && newline > 0 && text[newline - 1] == '\r';
}

std::string with_line_ends(std::string_view text, bool carriage_returns) {
  std::string out;
  for (const char c : text) {
    if (c == '\r') continue;
    if (c == '\n' && carriage_returns) out += '\r';
    out += c;
  }
  return out;
}

}  // namespace cinnabar
