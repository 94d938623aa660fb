#include "lsp/framing.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

namespace cinnabar::lsp {
namespace {

// Frames as one line each: the body, or "skipped: ..." / "fatal: ...".
std::vector<std::string> lines_of(const std::vector<Frame>& frames) {
  std::vector<std::string> lines;
  for (const auto& frame : frames) {
    if (const auto* error = std::get_if<FramingError>(&frame))
      lines.push_back((error->kind == FramingError::Kind::fatal ? "fatal: " : "skipped: ") + error->message);
    else
      lines.push_back(std::get<std::string>(frame));
  }
  return lines;
}

std::vector<std::string> decode_whole(const std::string& bytes, FramingLimits limits = {}) {
  FrameDecoder decoder(limits);
  return lines_of(decoder.push(bytes));
}

std::vector<std::string> decode_by_byte(const std::string& bytes, FramingLimits limits = {}) {
  FrameDecoder decoder(limits);
  std::vector<Frame> all;
  for (const char byte : bytes)
    for (auto& frame : decoder.push({&byte, 1})) all.push_back(std::move(frame));
  return lines_of(all);
}

using Lines = std::vector<std::string>;

struct Case {
  const char* name;
  std::string bytes;
  Lines frames;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"one message", "Content-Length: 2\r\n\r\n{}", {"{}"}},
      {"two messages", "Content-Length: 2\r\n\r\n{}Content-Length: 4\r\n\r\nnull", {"{}", "null"}},
      {"empty content", "Content-Length: 0\r\n\r\nContent-Length: 1\r\n\r\n7", {"", "7"}},
      {"length counts bytes", "Content-Length: 4\r\n\r\n\xC3\xA9\xC3\xA9", {"\xC3\xA9\xC3\xA9"}},
      {"header names in any case", "content-LENGTH: 2\r\nCONTENT-type: text/plain\r\n\r\n{}", {"{}"}},
      {"spaces and tabs around the value", "Content-Length:\t 2 \r\n\r\n{}", {"{}"}},
      {"no space after the colon", "Content-Length:2\r\n\r\n{}", {"{}"}},
      {"line ends without CR", "Content-Length: 2\n\n{}", {"{}"}},
      {"unknown header", "X-Trace: a:b\r\nContent-Length: 2\r\n\r\n{}", {"{}"}},
      {"charset utf-8",
       "Content-Length: 2\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n{}",
       {"{}"}},
      {"charset utf8, quoted, odd case",
       "Content-Type: application/vscode-jsonrpc; a=b; Charset=\"UTF8\"\r\nContent-Length: 2\r\n\r\n{}",
       {"{}"}},
      {"body with header-like bytes", "Content-Length: 4\r\n\r\n\r\n\r\nContent-Length: 1\r\n\r\n1", {"\r\n\r\n", "1"}},
      {"foreign charset is skipped",
       "Content-Length: 2\r\nContent-Type: x; charset=utf-16\r\n\r\n{}Content-Length: 1\r\n\r\n1",
       {"skipped: charset \"utf-16\" is not supported, only utf-8; the message was not read", "1"}},
      {"no length", "Content-Type: x\r\n\r\n", {"fatal: header part without Content-Length"}},
      {"blank line only", "\r\n", {"fatal: header part without Content-Length"}},
      {"negative length",
       "Content-Length: -1\r\n\r\n",
       {"fatal: Content-Length: expected a decimal number, found \"-1\""}},
      {"plus sign", "Content-Length: +1\r\n\r\n", {"fatal: Content-Length: expected a decimal number, found \"+1\""}},
      {"length with a tail",
       "Content-Length: 12 34\r\n\r\n",
       {"fatal: Content-Length: expected a decimal number, found \"12 34\""}},
      {"empty length", "Content-Length:\r\n\r\n", {"fatal: Content-Length: expected a decimal number, found \"\""}},
      {"length given twice",
       "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
       {"fatal: Content-Length is given twice"}},
      {"line without colon", "{\tjsonrpc\r\n\r\n", {"fatal: header line \"{?jsonrpc\" has no colon"}},
      {"absurd length",
       "Content-Length: 99999999999\r\n\r\n",
       {"fatal: Content-Length 99999999999 is beyond anything this server can skip"}},
      {"length beyond 64 bits",
       "Content-Length: 99999999999999999999999999\r\n\r\n",
       {"fatal: Content-Length 18446744073709551615 is beyond anything this server can skip"}},
      {"nothing after a fatal error", "\r\nContent-Length: 2\r\n\r\n{}", {"fatal: header part without Content-Length"}},
  };
  return all;
}

TEST_CASE("frames come out whole, whatever the pieces") {
  for (const auto& c : cases()) {
    INFO(c.name);
    CHECK(decode_whole(c.bytes) == c.frames);
    CHECK(decode_by_byte(c.bytes) == c.frames);
  }
}

TEST_CASE("a message over the limit is skipped and the stream goes on") {
  const FramingLimits limits{.header_bytes = 64, .message_bytes = 10};
  const std::string bytes = "Content-Length: 11\r\n\r\n0123456789aContent-Length: 10\r\n\r\n0123456789";
  const Lines expected = {"skipped: message of 11 bytes is over the limit of 10 and was not read", "0123456789"};
  CHECK(decode_whole(bytes, limits) == expected);
  CHECK(decode_by_byte(bytes, limits) == expected);
}

TEST_CASE("the header part has a limit, with and without line ends") {
  const FramingLimits limits{.header_bytes = 32, .message_bytes = 10};
  const Lines expected = {"fatal: header part longer than 32 bytes"};
  CHECK(decode_whole(std::string(33, 'a'), limits) == expected);
  CHECK(decode_by_byte(std::string(33, 'a'), limits) == expected);
  CHECK(decode_by_byte("A: b\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\n", limits) == expected);
  CHECK(decode_whole("Content-Length: 1\r\nA: 67890\r\n\r\n1", limits) == Lines{"1"});  // exactly 32
}

TEST_CASE("an announced length reserves no memory by itself") {
  FrameDecoder decoder;
  CHECK(decoder.push("Content-Length: 67108864\r\n\r\nabc").empty());
  CHECK(decoder.inside_message());
  CHECK_FALSE(decoder.failed());
}

TEST_CASE("the end of the stream inside a message can be told") {
  FrameDecoder decoder;
  CHECK_FALSE(decoder.inside_message());
  CHECK(decoder.push("Conte").empty());
  CHECK(decoder.inside_message());
  CHECK(decoder.push("nt-Length: 2\r\n\r\n{").empty());
  CHECK(decoder.inside_message());
  CHECK(decoder.push("}").size() == 1);
  CHECK_FALSE(decoder.inside_message());
}

TEST_CASE("what was encoded is decoded, in random pieces") {
  std::mt19937 random(7);
  std::vector<std::string> bodies;
  std::string stream;
  for (int i = 0; i < 200; ++i) {
    std::string body(random() % 300, ' ');
    for (char& c : body) c = static_cast<char>(random());
    stream += encode_frame(body);
    bodies.push_back(std::move(body));
  }
  FrameDecoder decoder;
  std::vector<Frame> frames;
  for (std::size_t at = 0; at < stream.size();) {
    const std::size_t size = std::min<std::size_t>(random() % 97, stream.size() - at);
    for (auto& frame : decoder.push(std::string_view(stream).substr(at, size))) frames.push_back(std::move(frame));
    at += size;
  }
  CHECK(lines_of(frames) == bodies);
  CHECK(encode_frame("{}") == "Content-Length: 2\r\n\r\n{}");
}

}  // namespace
}  // namespace cinnabar::lsp
