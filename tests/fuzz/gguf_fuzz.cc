// Any bytes as a GGUF file: every tensor of what is accepted lies inside of it, and the steps behind the reader hold
// too.
#include <cstdlib>

#include "engine/model/gguf.h"
#include "engine/model/weights.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::byte> file(reinterpret_cast<const std::byte*>(data), size);
  const auto checkpoint = cinnabar::engine::parse_gguf(file);
  if (!checkpoint.ok()) return 0;
  for (const auto& [name, tensor] : checkpoint->tensors)
    if (tensor.data < file.data() || tensor.data + tensor.bytes > file.data() + file.size()) std::abort();
  const auto spec = cinnabar::engine::read_spec(*checkpoint);
  if (spec.ok()) (void)cinnabar::engine::bind_weights(*checkpoint, *spec).ok();
  return 0;
}
