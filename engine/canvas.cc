#include "engine/canvas.h"

#include <algorithm>
#include <cassert>

namespace cinnabar::engine {

Canvas::Canvas(std::span<const std::int32_t> prefix, int masks, std::span<const std::int32_t> suffix, std::int32_t mask)
    : tokens_(prefix.begin(), prefix.end()),
      mask_(mask),
      hole_begin_(static_cast<int>(prefix.size())),
      hole_end_(hole_begin_ + masks) {
  tokens_.insert(tokens_.end(), index(masks), mask);
  tokens_.insert(tokens_.end(), suffix.begin(), suffix.end());
  cells_.assign(tokens_.size(), Cell::given);
  std::fill(cells_.begin() + hole_begin_, cells_.begin() + hole_end_, Cell::masked);
  confidence_.assign(tokens_.size(), 0.0f);
}

std::span<const std::int32_t> Canvas::hole() const {
  return std::span(tokens_).subspan(index(hole_begin_), index(hole_end_ - hole_begin_));
}

std::vector<int> Canvas::masked(int begin, int end) const {
  std::vector<int> positions;
  for (int position = begin; position < end; ++position) {
    if (cell(position) == Cell::masked) positions.push_back(position);
  }
  return positions;
}

bool Canvas::has_masks(int begin, int end) const {
  return std::find(cells_.begin() + begin, cells_.begin() + end, Cell::masked) != cells_.begin() + end;
}

void Canvas::unmask(int position, std::int32_t token, float confidence) {
  assert(cell(position) == Cell::masked);
  tokens_[index(position)] = token;
  cells_[index(position)] = Cell::unmasked;
  confidence_[index(position)] = confidence;
}

void Canvas::remask(int position) {
  assert(cell(position) == Cell::unmasked);
  tokens_[index(position)] = mask_;
  cells_[index(position)] = Cell::masked;
  confidence_[index(position)] = 0.0f;
}

void Canvas::expand(int position) {
  assert(cell(position) == Cell::masked);
  tokens_.insert(tokens_.begin() + position, mask_);
  cells_.insert(cells_.begin() + position, Cell::masked);
  confidence_.insert(confidence_.begin() + position, 0.0f);
  ++hole_end_;
}

void Canvas::erase(int position) {
  assert(cell(position) == Cell::masked && position >= hole_begin_ && position < hole_end_);
  tokens_.erase(tokens_.begin() + position);
  cells_.erase(cells_.begin() + position);
  confidence_.erase(confidence_.begin() + position);
  --hole_end_;
}

}  // namespace cinnabar::engine
