// A model's files as named tensors and metadata: what gguf.* and safetensors.* have in common. All of it is untrusted
// input: readers check every size against the file with overflow-safe arithmetic and never read outside of it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "kernels/numeric.h"

namespace cinnabar::engine {

// A tensor as it lies in a mapped file. Borrowed from the Checkpoint's mapping.
struct Tensor {
  kernels::DType dtype;
  std::vector<std::int64_t> shape;  // outermost first: a linear layer is [N outputs, K inputs]
  const std::byte* data;
  std::int64_t bytes;
};

// GGUF metadata values; arrays of one kind. Hugging Face folders carry their JSON files in `texts` instead.
using MetaValue = std::variant<bool, std::int64_t, std::uint64_t, double, std::string, std::vector<std::int64_t>,
                               std::vector<double>, std::vector<std::string>>;

class Mapping;  // mapping.h: read-only memory of one file, or of parts joined in address space without a copy

// Immutable once opened; keeps its mapping alive. Movable.
struct Checkpoint {
  std::string source;  // path, for messages
  enum class Kind : std::uint8_t { gguf, hugging_face } kind = Kind::gguf;
  std::map<std::string, Tensor, std::less<>> tensors;
  std::map<std::string, MetaValue, std::less<>> metadata;  // GGUF key/values
  std::map<std::string, std::string, std::less<>> texts;   // file name -> content: config.json, tokenizer.json, ...
  std::vector<std::shared_ptr<const Mapping>> mappings;

  const Tensor* find(std::string_view name) const;
};

// An untrusted name for a message: in quotes, at most 80 characters, unprintable bytes as \xNN.
std::string shown_name(std::string_view name);
// "[896, 4864]", for messages.
std::string shape_text(const std::vector<std::int64_t>& shape);

// Opens what `path` is: a .gguf file; a folder with config.json and safetensors; a parts manifest (models/*/parts.json,
// or the folder that holds it): checksummed parts joined by mapping; a folder with model.gguf. Errors name the file, the tensor, expected and
// found.
Result<Checkpoint> open_checkpoint(const std::string& path);

}  // namespace cinnabar::engine
