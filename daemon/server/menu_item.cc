#include "daemon/server/menu_item.h"

#include <algorithm>
#include <string_view>

namespace cinnabar::daemon {
namespace {

// Bytes beyond ASCII count as letters: names of any script, and no character is cut.
bool is_word(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string_view stripped(std::string_view text) {
  const std::size_t first = std::min(text.find_first_not_of(" \t\r"), text.size());
  text.remove_prefix(first);
  return text.substr(0, text.find_last_not_of(" \t\r") + 1);  // npos + 1: nothing but blanks
}

std::string_view first_line(std::string_view text) { return text.substr(0, text.find('\n')); }

std::string_view first_line_with_text(std::string_view text) {
  while (stripped(first_line(text)).empty() && text.find('\n') != std::string_view::npos)
    text.remove_prefix(text.find('\n') + 1);
  return stripped(first_line(text));
}

}  // namespace

lsp::CompletionItem menu_item(const DocumentSnapshot& document, std::size_t offset, const std::string& text,
                              std::size_t replaced, lsp::PositionEncoding encoding) {
  const std::string& whole = document.text();
  std::size_t begin = offset;
  while (begin > 0 && is_word(whole[begin - 1])) --begin;
  lsp::CompletionItem item;
  item.new_text = whole.substr(begin, offset - begin) + text;
  item.label = first_line_with_text(item.new_text);
  item.filter_text = first_line(item.new_text);
  if (stripped(item.filter_text).empty()) item.filter_text = item.label;  // clients take an empty one for none
  item.detail = "Cinnabar";
  if (text.find('\n') != std::string::npos) item.documentation = item.new_text;
  item.range = {document.position(begin, encoding), document.position(offset + replaced, encoding)};
  return item;
}

}  // namespace cinnabar::daemon
