#include "engine/decoding/canvas.h"

#include <catch2/catch.hpp>
#include <vector>

namespace cinnabar::engine {
namespace {

using Ids = std::vector<std::int32_t>;
constexpr std::int32_t kMask = 99;

Ids all(const Canvas& canvas) { return {canvas.tokens().begin(), canvas.tokens().end()}; }

TEST_CASE("a canvas begins as prefix, masks, suffix") {
  const Canvas canvas(Ids{1, 2}, 3, Ids{7}, kMask);
  CHECK(all(canvas) == Ids{1, 2, kMask, kMask, kMask, 7});
  CHECK(canvas.hole_begin() == 2);
  CHECK(canvas.hole_end() == 5);
  CHECK(canvas.hole().size() == 3);
  CHECK(canvas.masked(0, canvas.size()) == std::vector<int>{2, 3, 4});
  CHECK(canvas.masked(3, 4) == std::vector<int>{3});
  CHECK(canvas.cell(0) == Cell::given);
  CHECK(canvas.cell(5) == Cell::given);
  CHECK_FALSE(canvas.has_masks(0, 2));
  CHECK_FALSE(canvas.has_masks(2, 2));
  CHECK(canvas.has_masks(4, 6));
}

TEST_CASE("several holes stand in a row, and a change of length moves those behind it") {
  Canvas canvas(Ids{1}, 2, Ids{7}, kMask);
  canvas.add_hole(1, Ids{8, 9});
  canvas.add_hole(2, {});
  CHECK(all(canvas) == Ids{1, kMask, kMask, 7, kMask, 8, 9, kMask, kMask});
  const auto borders = [&] {
    Ids found;
    for (std::size_t i = 0; i < canvas.holes(); ++i)
      found.insert(found.end(), {canvas.hole_begin(i), canvas.hole_end(i)});
    return found;
  };
  CHECK(borders() == Ids{1, 3, 4, 5, 7, 9});
  canvas.expand(4);
  CHECK(borders() == Ids{1, 3, 4, 6, 8, 10});
  canvas.erase(1);
  CHECK(borders() == Ids{1, 2, 3, 5, 7, 9});
  canvas.erase(8);
  CHECK(borders() == Ids{1, 2, 3, 5, 7, 8});
  CHECK(all(canvas) == Ids{1, kMask, 7, kMask, kMask, 8, 9, kMask});
  CHECK(canvas.hole(1).size() == 2);
  CHECK(canvas.cell(2) == Cell::given);
}

TEST_CASE("a given token equal to the mask is still given") {
  const Canvas canvas(Ids{kMask}, 1, {}, kMask);
  CHECK(canvas.masked(0, 2) == std::vector<int>{1});
}

TEST_CASE("unmask and remask") {
  Canvas canvas(Ids{1}, 2, Ids{7}, kMask);
  canvas.unmask(2, 5, 0.5f);
  CHECK(all(canvas) == Ids{1, kMask, 5, 7});
  CHECK(canvas.cell(2) == Cell::unmasked);
  CHECK(canvas.confidence(2) == 0.5f);
  canvas.remask(2);
  CHECK(all(canvas) == Ids{1, kMask, kMask, 7});
  CHECK(canvas.cell(2) == Cell::masked);
  CHECK(canvas.confidence(2) == 0.0f);
}

TEST_CASE("expand and erase move what is behind, with its state") {
  Canvas canvas(Ids{1}, 3, Ids{7}, kMask);
  canvas.unmask(3, 5, 0.25f);
  canvas.expand(1);
  CHECK(all(canvas) == Ids{1, kMask, kMask, kMask, 5, 7});
  CHECK(canvas.hole_end() == 5);
  CHECK(canvas.cell(4) == Cell::unmasked);
  CHECK(canvas.confidence(4) == 0.25f);
  CHECK(canvas.cell(5) == Cell::given);
  canvas.erase(2);
  canvas.erase(1);
  canvas.erase(1);
  CHECK(all(canvas) == Ids{1, 5, 7});
  CHECK(canvas.hole_begin() == 1);
  CHECK(canvas.hole_end() == 2);
  CHECK(canvas.confidence(1) == 0.25f);
  CHECK_FALSE(canvas.has_masks(0, canvas.size()));
}

TEST_CASE("a hole may be empty") {
  const Canvas canvas(Ids{1}, 0, Ids{2}, kMask);
  CHECK(canvas.hole().empty());
  CHECK_FALSE(canvas.has_masks(canvas.hole_begin(), canvas.hole_end()));
}

}  // namespace
}  // namespace cinnabar::engine
