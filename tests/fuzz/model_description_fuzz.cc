// A model's description (model.json) is a stranger's text: whatever it holds, it is refused in one line or read, and what is
// read stays within the bounds that readers count on.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "daemon/models/description.h"

using namespace cinnabar::daemon;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = parse_description({reinterpret_cast<const char*>(data), size});
  if (!read) {
    require(!read.message().empty());
    for (const char c : read.message()) require(static_cast<unsigned char>(c) >= 0x20);
    return 0;
  }
  require(read->name.empty() || is_model_name(read->name));
  require(read->sha256.empty() || read->sha256.size() == 64);
  require(read->bytes >= 0);
  require(std::isfinite(read->gate.constant) && std::isfinite(read->gate.log_tokens));
  require(read->gate.balanced >= 0 && read->gate.quiet <= 1);
  const auto again = parse_description(written_description(*read));
  require(again && again->name == read->name && again->bytes == read->bytes && again->sha256 == read->sha256);
  return 0;
}
