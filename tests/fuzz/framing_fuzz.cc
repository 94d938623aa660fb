// Framing under arbitrary bytes: the frames must not depend on how the stream was cut into pieces, and every body that
// comes out must come out again after encode_frame.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "lsp/framing.h"

using cinnabar::lsp::Frame;
using cinnabar::lsp::FrameDecoder;
using cinnabar::lsp::FramingError;

namespace {

std::vector<std::string> decode(std::string_view bytes, std::size_t piece) {
  FrameDecoder decoder({.header_bytes = 256, .message_bytes = 4096});
  std::vector<std::string> out;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    for (const Frame& frame : decoder.push(bytes.substr(0, piece))) {
      const auto* error = std::get_if<FramingError>(&frame);
      out.push_back(error ? "!" + error->message : "=" + std::get<std::string>(frame));
    }
  }
  out.push_back(decoder.failed() ? "failed" : decoder.inside_message() ? "inside" : "between");
  return out;
}

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = decode(bytes, bytes.size() + 1);
  require(whole == decode(bytes, 1));
  require(whole == decode(bytes, 1 + data[0]));
  for (const auto& line : whole)
    if (line[0] == '=') require(decode(cinnabar::lsp::encode_frame(line.substr(1)), 7)[0] == line);
  return 0;
}
