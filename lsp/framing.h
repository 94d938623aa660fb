// Bytes <-> message bodies: the "base protocol" of LSP 3.18 (header part, blank line, content part).
//
// First hop of everything a client sends, last hop of everything it gets. Works on pieces of any size, so it needs no
// thread and no blocking read.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cinnabar::lsp {

struct FramingLimits {
  std::size_t header_bytes = 8 * 1024;           // whole header part of one message, its blank line included
  std::size_t message_bytes = 64 * 1024 * 1024;  // one content part
};

// What is wrong with the stream, as one sentence for the other side.
struct FramingError {
  enum class Kind {
    skipped,  // this message is lost; its end is known, so the stream goes on behind it
    fatal,    // the next message's begin is unknown: answer, then close the connection
  };
  Kind kind = Kind::fatal;
  std::string message;
};

// One message's content, or what went wrong in its place.
using Frame = std::variant<std::string, FramingError>;

// Cuts one direction of a connection into messages. One thread at a time; owns its buffer, which grows with the bytes
// that arrived and never with a length that was only announced.
//
// Accepted: header names in any letter case, spaces and tabs around values, lines that end with LF alone (hand-written
// tests), unknown headers, Content-Type with charset utf-8 or utf8 (or without charset), Content-Length 0.
// kSkipped: content longer than the limit, a charset we do not speak. Both are reported as soon as the header is
// complete; a length beyond kLongestSkip is kFatal instead, since no honest client sends it.
// kFatal: header part too long, a line without colon, Content-Length missing, given twice, or not a decimal number.
class FrameDecoder {
 public:
  static constexpr std::size_t kLongestSkip = std::size_t{1} << 30;  // bytes

  explicit FrameDecoder(FramingLimits limits = {}) : limits_(limits) {}

  // Takes the next bytes and returns the frames that they complete, in order. Returns nothing more after a fatal error.
  std::vector<Frame> push(std::string_view bytes);

  // True after a fatal error.
  bool failed() const { return state_ == State::failed; }
  // True when some but not all bytes of a message have arrived: the stream must not end here.
  bool inside_message() const { return state_ == State::content || state_ == State::skip || !header_.empty(); }

 private:
  enum class State { header, content, skip, failed };

  std::size_t take_header(std::string_view bytes, std::vector<Frame>& frames);
  std::size_t take_content(std::string_view bytes, std::vector<Frame>& frames);
  void finish_header(std::vector<Frame>& frames);
  void fail(std::vector<Frame>& frames, std::string message);

  FramingLimits limits_;
  State state_ = State::header;
  std::string header_;         // the header part so far, its line ends included
  std::string content_;        // the content part so far
  std::size_t remaining_ = 0;  // content bytes still to come
};

// One message ready to send: Content-Length, blank line, body. `body` is sent as it is.
std::string encode_frame(std::string_view body);

}  // namespace cinnabar::lsp
