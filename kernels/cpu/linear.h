// Packed weights and the preparation of activations; the layouts are described at ProductTask (lane_ops.h).
#pragma once

#include "kernels/cpu/context.h"
#include "kernels/cpu/memory.h"

namespace cinnabar::kernels::cpu {

class PackedMatrix final : public Matrix {
 public:
  PackedMatrix(std::int64_t rows, std::int64_t cols, Compute compute);

  std::int64_t bytes() const override { return pairs() * pair_bytes_; }
  std::int64_t pairs() const { return (rows() + 31) / 32; }  // of 16-column strips
  std::int64_t pair_bytes() const { return pair_bytes_; }
  int depth() const { return depth_; }
  std::byte* pair(std::int64_t index) const { return pages_.data() + index * pair_bytes_; }
  bool allocate();

 private:
  int depth_;
  std::int64_t pair_bytes_;
  Pages pages_;
};

// What a product multiplies, and where its rounded activations begin in the context's buffers, counted in steps of
// depth of a tile of 16 rows.
struct Operands {
  Rows x;
  const PackedMatrix* weight;
  std::int64_t rounded = 0;
  bool shares = false;  // with the product before it
};

// Rounds the activations of each for its product, and sets where they are; products of the same x, one behind the
// other, share them. The next call replaces them.
void round_activations(Context& context, std::span<Operands> operands);

// The task for rows [first_row, ...) (a multiple of 16) and the columns of pairs [first_pair, first_pair + pair_count).
// Output and bias are still to be set, both from the task's first column on.
ProductTask product_task(const Context& context, const Operands& operands, std::int64_t first_row,
                         std::int64_t row_count, std::int64_t first_pair, std::int64_t pair_count);

}  // namespace cinnabar::kernels::cpu
