#include "engine/model/row_order.h"

#include <cstring>

namespace cinnabar::engine {

std::vector<std::byte> rotate_half_rows(std::span<const std::byte> rows, std::int64_t row_bytes, int head_size) {
  std::vector<std::byte> out(rows.size());
  const std::int64_t count = static_cast<std::int64_t>(rows.size()) / row_bytes;
  const int half = head_size / 2;
  for (std::int64_t row = 0; row < count; ++row) {
    const std::int64_t head = row / head_size * head_size;
    const std::int64_t inside = row % head_size;
    const std::int64_t from = head + 2 * (inside % half) + inside / half;
    std::memcpy(out.data() + row * row_bytes, rows.data() + from * row_bytes, static_cast<std::size_t>(row_bytes));
  }
  return out;
}

}  // namespace cinnabar::engine
