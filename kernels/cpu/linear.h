// Packed weights and the preparation of activations; the layouts are described at ProductTask (lane_ops.h).
#pragma once

#include <span>
#include <vector>

#include "kernels/cpu/context.h"
#include "kernels/cpu/memory.h"

namespace cinnabar::kernels::cpu {

class PackedMatrix final : public Matrix {
 public:
  PackedMatrix(std::span<const StoredMatrix> parts, std::int64_t rows, Compute compute);

  std::int64_t bytes() const override { return bytes_; }
  std::int64_t pairs() const { return (rows() + 31) / 32; }  // of 16-column strips
  // Of a pair as products take it; a narrow one has less.
  std::int64_t pair_bytes() const { return pair_bytes_; }
  int depth() const { return depth_; }
  bool is_narrow() const { return !narrow_.empty(); }
  // Of the codes of a pair; 8: it lies as products take it.
  int bits(std::int64_t pair) const { return is_narrow() ? narrow_[static_cast<std::size_t>(pair)].bits : 8; }
  std::byte* pair(std::int64_t index) const {
    return pages_.data() + (is_narrow() ? narrow_[static_cast<std::size_t>(index)].begin : index * pair_bytes_);
  }
  bool allocate();

 private:
  struct Pair {
    std::int64_t begin;  // byte
    int bits;
  };

  int depth_;
  std::int64_t pair_bytes_, bytes_;
  std::vector<Pair> narrow_;  // a pair each; none: all lie as products take them
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

// The task for rows [first_row, ...) (a multiple of 16). Weights, columns, output and bias are still to be set.
ProductTask product_task(const Context& context, const Operands& operands, std::int64_t first_row,
                         std::int64_t row_count);

// A product's columns of pairs [first, first + count), as `task` says but for weights and columns; its
// output and bias begin at the first of them. Of narrow weights one pair after the other is expanded into the worker's memory.
void multiply_pairs(Context& context, ProductTask task, const PackedMatrix& weight, std::int64_t first,
                    std::int64_t count, int worker);

}  // namespace cinnabar::kernels::cpu
