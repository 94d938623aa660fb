#include "base/text.h"

#include <array>

namespace cinnabar {

std::string_view right_stripped(std::string_view text) {
  const std::size_t last = text.find_last_not_of(" \t\r\n\f");
  return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

std::string_view stripped(std::string_view text) {
  text = right_stripped(text);
  const std::size_t first = text.find_first_not_of(" \t\r\n\f");
  return first == std::string_view::npos ? std::string_view() : text.substr(first);
}

std::string_view first_word(std::string_view line) {
  line = stripped(line);
  std::size_t end = 0;
  const auto in_word = [](char c) {
    return c == '_' || c == '@' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  while (end < line.size() && in_word(line[end])) ++end;
  return line.substr(0, end);
}

std::size_t line_end(std::string_view text, std::size_t at) {
  std::size_t end = text.find('\n', at);
  if (end == std::string_view::npos) return text.size();
  if (end > at && text[end - 1] == '\r') --end;
  return end;
}

std::string_view indentation_of(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t");
  return line.substr(0, first == std::string_view::npos ? line.size() : first);
}

int indent_width(std::string_view line) {
  int width = 0;
  for (const char c : line) {
    if (c == ' ')
      ++width;
    else if (c == '\t')
      width = (width / 8 + 1) * 8;
    else
      break;
  }
  return width;
}

IndentStyle indent_style_of(std::string_view text, std::size_t most) {
  text = text.substr(0, most);
  std::array<int, 9> steps{};  // how often a line is so many blanks further in than the one before
  int tabbed = 0, before = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    at = end + 1;
    if (is_blank(line)) continue;
    if (line.front() == '\t') ++tabbed;
    const int width = indent_width(line);
    if (line.front() != '\t' && width > before && width - before <= 8)
      ++steps[static_cast<std::size_t>(width - before)];
    before = width;
  }
  IndentStyle style;
  int best = 0, all = 0;
  for (std::size_t width = 2; width <= 8; ++width) {
    all += steps[width];
    if (steps[width] > best) {
      best = steps[width];
      style.width = static_cast<int>(width);
    }
  }
  style.tabs = tabbed > all;
  if (style.tabs) style.width = 8;
  return style;
}

}  // namespace cinnabar
