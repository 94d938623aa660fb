// Where bytes wait on their way to or from a GPU: memory of the host that its pages cannot leave, so that copies neither
// need another copy of the driver's nor make the host wait. Two halves: while one is on its way the other is filled.
// Arithmetic alone; a Device (on_gpu/, on_host/) owns the memory and copies.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace cinnabar::kernels::cuda {

// With `turns` the first of its half: before it is written, what was copied from the other half has to be marked, and this
// half's mark waited for.
struct StagedPiece {
  int half;
  std::int64_t offset;  // from the first half's beginning
  std::int64_t bytes;
  bool turns;
};

class Staging {
 public:
  static constexpr std::int64_t kHalf = 4 << 20;  // bytes; a forward of 32 rows takes about half a megabyte

  // For at most `bytes`.
  StagedPiece next(std::int64_t bytes) {
    const bool turns = used_ == kHalf;
    if (turns) {
      half_ = 1 - half_;
      used_ = 0;
    }
    const StagedPiece piece{half_, half_ * kHalf + used_, std::min(bytes, kHalf - used_), turns};
    used_ = std::min(kHalf, (used_ + piece.bytes + 63) / 64 * 64);
    return piece;
  }

 private:
  int half_ = 0;
  std::int64_t used_ = 0;
};

}  // namespace cinnabar::kernels::cuda
