#include "engine/decoding/canvas.h"

#include <algorithm>
#include <cassert>

namespace cinnabar::engine {

Canvas::Canvas(std::span<const std::int32_t> prefix, int masks, std::span<const std::int32_t> suffix, std::int32_t mask)
    : tokens_(prefix.begin(), prefix.end()), cells_(prefix.size(), Cell::given), mask_(mask) {
  add_hole(masks, suffix);
}

void Canvas::add_hole(int masks, std::span<const std::int32_t> suffix) {
  holes_.push_back({size(), size() + masks});
  tokens_.insert(tokens_.end(), index(masks), mask_);
  cells_.resize(tokens_.size(), Cell::masked);
  tokens_.insert(tokens_.end(), suffix.begin(), suffix.end());
  cells_.resize(tokens_.size(), Cell::given);
  confidence_.resize(tokens_.size(), 0.0f);
}

std::span<const std::int32_t> Canvas::hole(std::size_t hole) const {
  return std::span(tokens_).subspan(index(holes_[hole].begin), index(holes_[hole].end - holes_[hole].begin));
}

void Canvas::move_borders(int position, int by) {
  for (Hole& hole : holes_) {
    if (hole.begin > position) hole.begin += by;
    if (hole.end > position) hole.end += by;
  }
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
  move_borders(position, 1);
}

void Canvas::erase(int position) {
  assert(cell(position) == Cell::masked);
  tokens_.erase(tokens_.begin() + position);
  cells_.erase(cells_.begin() + position);
  confidence_.erase(confidence_.begin() + position);
  move_borders(position, -1);
}

}  // namespace cinnabar::engine
