// Any bytes as a safetensors file, and as its index.
#include <cstdlib>

#include "engine/model/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::byte> file(reinterpret_cast<const std::byte*>(data), size);
  const auto tensors = cinnabar::engine::parse_safetensors(file);
  if (tensors.ok())
    for (const auto& [name, tensor] : *tensors)
      if (tensor.data < file.data() || tensor.data + tensor.bytes > file.data() + file.size()) std::abort();
  const auto index = cinnabar::engine::parse_safetensors_index({reinterpret_cast<const char*>(data), size});
  if (index.ok())
    for (const auto& [tensor, name] : *index)
      if (name.find('/') != std::string::npos || name == "..") std::abort();
  return 0;
}
