// The safetensors container: eight bytes of header length, a JSON header {name: {dtype, shape, data_offsets}}, then the
// tensors' bytes. F32, F16 and BF16 are read.
//
// The bytes are untrusted: the header's size and depth are limited, and every tensor must lie inside the data, in bytes
// of its own, with the size its shape asks for. A message names the tensor, what was expected and what was found.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "base/result.h"
#include "engine/model/checkpoint.h"

namespace cinnabar::engine {

inline constexpr std::uint64_t kSafetensorsHeaderLimit = 64u << 20;  // bytes

using TensorMap = std::map<std::string, Tensor, std::less<>>;

// All tensors of one file. Their data point into `file`, which must outlive the result.
Result<TensorMap> parse_safetensors(std::span<const std::byte> file);

// {tensor name: file name} of a model.safetensors.index.json. File names are plain names inside the folder.
Result<std::map<std::string, std::string, std::less<>>> parse_safetensors_index(std::string_view text);

}  // namespace cinnabar::engine
