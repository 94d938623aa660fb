// Composite operations: on every backend a device's own form has the bits of the plain form, and both agree with the
// plain CPU backend's.
#include <algorithm>

#include "tests/unit/kernels/composite_layer.h"

namespace cinnabar::kernels {
namespace {

using namespace testing;
using cpu::testing::same_bits;

struct Subject {
  std::string name;
  std::unique_ptr<Backend> backend;
};

std::vector<Subject> subjects() {
  std::vector<Subject> all;
  for (const cpu::Isa isa : cpu::available_isas())
    all.push_back({std::string(cpu::name(isa)), cpu::testing::backend(isa, 2)});
  all.push_back({"cuda", cuda::testing::cuda_backend()});
  return all;
}

// What the layers of kShapes leave: bits that differ from `expected` are counted, the largest distance is measured.
void compare(const Values& got, const Values& expected, double tolerance) {
  REQUIRE(got.size() == expected.size());
  if (tolerance == 0) {
    CHECK(same_bits(got.data(), expected.data(), std::ssize(got)));
  } else {
    CHECK(cuda::testing::distance(got, expected) <= tolerance);
  }
}

const LayerShape kShapes[] = {
    // D, H, K, E, R, F, rank, head norms, biases
    {64, 2, 1, 32, 0, 48, 16, false, true},        {96, 4, 2, 64, 0, 80, 32, false, false},
    {128, 2, 2, 64, 32, 64, 8, false, true},       {64, 3, 1, 64, 0, 32, 16, true, false},
    {320, 2, 1, 128, 0, 160, 48, false, true},     {64, 2, 1, 32, -1, 96, 16, false, true, true},
    {96, 2, 2, 32, 0, 48, 16, false, false, true},
};

TEST_CASE("cuda: composite operations of every backend have the bits of their plain forms") {
  for (const Subject& subject : subjects()) {
    for (const LayerShape& shape : kShapes) {
      for (const Compute compute : {Compute::int8, Compute::int4, Compute::bf16, Compute::f32}) {
        CompositeLayer layer(*subject.backend, shape, compute);
        for (const RowsShape& rows : {RowsShape{1, 0}, {0, 3}, {4, 12}}) {
          INFO(subject.name << ", D " << shape.width << ", compute " << static_cast<int>(compute) << ", " << rows.clean
                            << " clean rows, " << rows.block << " block rows");
          compare(layer.run(rows, Form::own), layer.run(rows, Form::plain), 0);
        }
      }
    }
  }
}

TEST_CASE("cuda: composite operations of more rows than one launch multiplies have the bits of their plain forms") {
  for (const Subject& subject : subjects()) {
    INFO(subject.name);
    CompositeLayer layer(*subject.backend, kShapes[0], Compute::int8);
    compare(layer.run({30, 9}, Form::own), layer.run({30, 9}, Form::plain), 0);
  }
}

TEST_CASE("cuda: composite operations of every backend agree with the plain CPU's") {
  const auto plain = cpu::testing::backend(cpu::Isa::plain, 1);
  for (const Subject& subject : subjects()) {
    for (const Compute compute : {Compute::int8, Compute::int4, Compute::bf16, Compute::f32}) {
      INFO(subject.name << ", compute " << static_cast<int>(compute));
      const LayerShape& shape = kShapes[compute == Compute::bf16 ? 5 : 0];
      CompositeLayer truth(*plain, shape, compute), layer(*subject.backend, shape, compute);
      // Attention of some levels multiplies in bf16; in the others' products a rounding apart goes through a whole layer.
      const double tolerance = compute == Compute::f32 ? 4e-3 : 0.04;
      compare(layer.run({3, 6}, Form::own), truth.run({3, 6}, Form::plain), tolerance);
    }
  }
}

TEST_CASE("cuda: a row of a layer does not depend on the rows beside it") {
  for (const Subject& subject : subjects()) {
    INFO(subject.name);
    CompositeLayer layer(*subject.backend, kShapes[1], Compute::int8);
    const Values together = layer.run({9, 0}, Form::own);
    const std::int64_t each = std::ssize(together) / 9;
    for (int row = 0; row < 9; ++row) {
      const Values alone = layer.run({1, 0, row}, Form::own);
      CHECK(same_bits(alone.data(), together.data() + row * each, each));
    }
  }
}

}  // namespace
}  // namespace cinnabar::kernels
