// The canvas: the row of tokens being denoised. Every position is given (prompt, suffix, fixed text), masked, or
// unmasked at some step. Only the functions below change it; a given position never changes.
//
// There may be several holes, numbered from 0 in their order, with given text in front of, between and behind them.
//
// Coordinates: a canvas position is an index from 0 into the whole row, given tokens included. After expand() and
// erase() the positions behind move by one.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace cinnabar::engine {

enum class Cell : std::uint8_t { given, masked, unmasked };

class Canvas {
 public:
  // [prefix][masks x mask][suffix]; the hole is the run between prefix and suffix.
  Canvas(std::span<const std::int32_t> prefix, int masks, std::span<const std::int32_t> suffix, std::int32_t mask);
  // Puts another hole behind all there is: [masks x mask][suffix].
  void add_hole(int masks, std::span<const std::int32_t> suffix);

  int size() const { return static_cast<int>(tokens_.size()); }
  std::size_t holes() const { return holes_.size(); }
  int hole_begin(std::size_t hole = 0) const { return holes_[hole].begin; }
  int hole_end(std::size_t hole = 0) const { return holes_[hole].end; }  // one past the hole's last position
  std::span<const std::int32_t> tokens() const { return tokens_; }
  std::span<const std::int32_t> hole(std::size_t hole = 0) const;
  Cell cell(int position) const { return cells_[index(position)]; }
  std::int32_t token(int position) const { return tokens_[index(position)]; }
  // Probability with which an unmasked position was committed; 0 elsewhere. For display and for remasking rules.
  float confidence(int position) const { return confidence_[index(position)]; }

  // Masked positions in [begin, end), ascending.
  std::vector<int> masked(int begin, int end) const;
  bool has_masks(int begin, int end) const;

  // masked -> unmasked. The position must be masked.
  void unmask(int position, std::int32_t token, float confidence);
  // unmasked -> masked.
  void remask(int position);
  // A masked position becomes two masked ones (DreamOn 2602.01326).
  void expand(int position);
  // A masked position of the hole goes away (DreamOn's delete).
  void erase(int position);

 private:
  struct Hole {
    int begin, end;
  };
  static std::size_t index(int position) { return static_cast<std::size_t>(position); }
  void move_borders(int position, int by);  // of the hole that `position` is in, and of those behind it

  std::vector<std::int32_t> tokens_;
  std::vector<Cell> cells_;
  std::vector<float> confidence_;
  std::int32_t mask_;
  std::vector<Hole> holes_;
};

}  // namespace cinnabar::engine
