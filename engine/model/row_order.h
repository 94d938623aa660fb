// Query and key rows of files made for an interleaved rotary kernel, put back into rotate-half order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace cinnabar::engine {

// GGUF converters of llama-type models store a head's row (half j, pair i) at 2 i + j instead of j * E/2 + i. Returns
// the rows, of `row_bytes` each, in the second order; whole rows move, so any number format will do. The number of rows
// is a multiple of `head_size` (E, even).
std::vector<std::byte> rotate_half_rows(std::span<const std::byte> rows, std::int64_t row_bytes, int head_size);

}  // namespace cinnabar::engine
