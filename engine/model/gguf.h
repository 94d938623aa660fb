// GGUF versions 2 and 3, little endian: a header of counts, key/value metadata, tensor descriptions, then the tensors'
// bytes (the layout is specified in ggml's docs/gguf.md).
//
// The bytes are untrusted. Counts, lengths and offsets are checked against the file before anything is allocated or
// read; a message names the key or tensor, what was expected and what was found.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "engine/model/checkpoint.h"

namespace cinnabar::engine {

// Far above every real model, low enough that a hostile header cannot make us allocate much.
struct GgufLimits {
  static constexpr std::uint64_t kTensors = 1 << 16;
  static constexpr std::uint64_t kKeys = 1 << 16;
  static constexpr std::uint64_t kNameBytes = 1024;
  static constexpr std::uint64_t kStringBytes = 1 << 24;
  static constexpr std::uint64_t kArrayItems = 1 << 21;
  static constexpr std::uint32_t kDimensions = 4;
};

// Metadata and tensors of a whole GGUF file. The tensors' data point into `file`, which must outlive the result;
// metadata are copied. Integer scalars of unsigned kinds become uint64_t, signed ones int64_t; arrays of integers and
// booleans become int64_t.
Result<Checkpoint> parse_gguf(std::span<const std::byte> file);

}  // namespace cinnabar::engine
