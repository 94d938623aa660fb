#include "lsp/framing.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

namespace cinnabar::lsp {
namespace {

constexpr std::size_t kFirstReserve = 64 * 1024;  // most messages fit; longer ones grow as their bytes arrive
constexpr std::size_t kShownBytes = 80;           // of foreign text in an error message

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Foreign text for an error message: cut, and free of control and non-ASCII bytes.
std::string shown(std::string_view text) {
  std::string out(text.substr(0, kShownBytes));
  for (char& c : out)
    if (c < 0x20 || c > 0x7e) c = '?';
  return '"' + out + (text.size() > kShownBytes ? "..." : "") + '"';
}

// Digits only; saturates instead of overflowing, because any such value is over every limit.
std::optional<std::uint64_t> parse_length(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || end != text.data() + text.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) return UINT64_MAX;
  if (error != std::errc()) return std::nullopt;
  return value;
}

// The charset parameter of a Content-Type value; empty when there is none.
std::string_view charset_of(std::string_view content_type) {
  for (auto semicolon = content_type.find(';'); semicolon != std::string_view::npos;) {
    content_type.remove_prefix(semicolon + 1);
    semicolon = content_type.find(';');
    const auto parameter = trim(content_type.substr(0, semicolon));
    const auto equals = parameter.find('=');
    if (equals == std::string_view::npos || !same_ignoring_case(trim(parameter.substr(0, equals)), "charset")) continue;
    auto value = trim(parameter.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    return value;
  }
  return {};
}

struct Header {
  std::optional<std::uint64_t> content_length;
  std::string charset;  // empty: not given
  std::string problem;  // empty: well formed
};

// One "Name: value" line into `header`; false with header.problem set when it is malformed.
bool parse_header_line(std::string_view line, Header& header) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) {
    header.problem = "header line " + shown(line) + " has no colon";
    return false;
  }
  const auto name = trim(line.substr(0, colon));
  const auto value = trim(line.substr(colon + 1));
  if (same_ignoring_case(name, "Content-Type")) header.charset = charset_of(value);
  if (!same_ignoring_case(name, "Content-Length")) return true;
  if (header.content_length) {
    header.problem = "Content-Length is given twice";
    return false;
  }
  header.content_length = parse_length(value);
  if (!header.content_length) header.problem = "Content-Length: expected a decimal number, found " + shown(value);
  return header.content_length.has_value();
}

Header parse_header(std::string_view text) {
  Header header;
  while (!text.empty()) {
    const auto newline = text.find('\n');
    auto line = text.substr(0, newline);
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty() && !parse_header_line(line, header)) return header;
  }
  if (!header.content_length) header.problem = "header part without Content-Length";
  return header;
}

bool is_utf8_name(std::string_view charset) {
  return charset.empty() || same_ignoring_case(charset, "utf-8") || same_ignoring_case(charset, "utf8");
}

}  // namespace

std::vector<Frame> FrameDecoder::push(std::string_view bytes) {
  std::vector<Frame> frames;
  while (!bytes.empty() && state_ != State::failed)
    bytes.remove_prefix(state_ == State::header ? take_header(bytes, frames) : take_content(bytes, frames));
  return frames;
}

std::size_t FrameDecoder::take_header(std::string_view bytes, std::vector<Frame>& frames) {
  const auto newline = bytes.find('\n');
  const std::size_t taken = newline == std::string_view::npos ? bytes.size() : newline + 1;
  if (taken > limits_.header_bytes - header_.size()) {
    fail(frames, "header part longer than " + std::to_string(limits_.header_bytes) + " bytes");
    return bytes.size();
  }
  header_.append(bytes.substr(0, taken));
  const std::string_view so_far = header_;
  const bool blank_line = so_far == "\n" || so_far == "\r\n" || so_far.ends_with("\n\n") || so_far.ends_with("\n\r\n");
  if (blank_line) finish_header(frames);
  return taken;
}

void FrameDecoder::finish_header(std::vector<Frame>& frames) {
  const Header header = parse_header(header_);
  header_.clear();
  if (!header.problem.empty()) return fail(frames, header.problem);

  const std::uint64_t length = *header.content_length;
  if (length > std::max(limits_.message_bytes, kLongestSkip))
    return fail(frames, "Content-Length " + std::to_string(length) + " is beyond anything this server can skip");
  remaining_ = static_cast<std::size_t>(length);
  std::string refusal;
  if (length > limits_.message_bytes)
    refusal = "message of " + std::to_string(length) + " bytes is over the limit of " +
              std::to_string(limits_.message_bytes) + " and was not read";
  else if (!is_utf8_name(header.charset))
    refusal = "charset " + shown(header.charset) + " is not supported, only utf-8; the message was not read";

  if (!refusal.empty()) {
    frames.emplace_back(FramingError{FramingError::Kind::skipped, std::move(refusal)});
    state_ = remaining_ == 0 ? State::header : State::skip;
  } else if (remaining_ == 0) {
    frames.emplace_back(std::string());
  } else {
    state_ = State::content;
    content_.reserve(std::min(remaining_, kFirstReserve));
  }
}

std::size_t FrameDecoder::take_content(std::string_view bytes, std::vector<Frame>& frames) {
  const std::size_t taken = std::min(bytes.size(), remaining_);
  if (state_ == State::content) content_.append(bytes.substr(0, taken));
  remaining_ -= taken;
  if (remaining_ > 0) return taken;
  if (state_ == State::content) frames.emplace_back(std::exchange(content_, std::string()));
  state_ = State::header;
  return taken;
}

void FrameDecoder::fail(std::vector<Frame>& frames, std::string message) {
  state_ = State::failed;
  header_.clear();
  content_.clear();
  frames.emplace_back(FramingError{FramingError::Kind::fatal, std::move(message)});
}

std::string encode_frame(std::string_view body) {
  std::string frame = "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  frame.reserve(frame.size() + body.size());
  return frame.append(body);
}

}  // namespace cinnabar::lsp
