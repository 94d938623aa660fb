#include <catch2/catch.hpp>

#include "tests/unit/kernels/kernel_fixture.h"

namespace cinnabar::kernels::cpu {
namespace {

using namespace testing;

struct Shape {
  std::int64_t m, n, k;
};

const std::vector<Shape> kShapes = {{1, 16, 64},   {2, 33, 64},   {1, 5, 7},     {15, 48, 128},
                                    {16, 1, 129},  {17, 40, 200}, {31, 64, 256}, {33, 31, 300},
                                    {64, 80, 384}, {65, 17, 96},  {130, 70, 260}};

std::string text(const Shape& s) {
  return "M " + std::to_string(s.m) + " N " + std::to_string(s.n) + " K " + std::to_string(s.k);
}

struct Case {
  Shape shape;
  std::vector<float> x, w, bias, start;
};

Case make_case(const Shape& s) {
  return {s, random_values(s.m * s.k, 1), random_values(s.n * s.k, 2, 0.1f), random_values(s.n, 3),
          random_values(s.m * s.n, 4)};
}

std::vector<float> product(Backend& backend, Case& c, Compute compute, std::int64_t first, std::int64_t count,
                           Backend::Write write = Backend::Write::set) {
  const StoredMatrix weight = stored(c.w, c.shape.n, c.shape.k);
  auto packed = backend.pack({&weight, 1}, compute);
  REQUIRE(packed.ok());
  std::vector<float> out(c.start.begin() + first * c.shape.n, c.start.begin() + (first + count) * c.shape.n);
  backend.linear(rows_of(c.x, c.shape.k).slice(first, count), **packed, c.bias.data(), rows_of(out, c.shape.n), write);
  return out;
}

// Bounds: int8 rounds both operands to 1/254 of the group's largest; bf16 to 2^-9.
double tolerance(Compute compute, double magnitude) {
  if (compute == Compute::int8) return magnitude * 0.012 + 1e-6;
  return magnitude * (compute == Compute::bf16 ? 0.008 : 1e-5) + 1e-6;
}

TEST_CASE("a product is near the one in double for every level, shape and number format") {
  for (const Isa isa : available_isas()) {
    auto cpu = backend(isa, 2);
    for (const Shape& shape : kShapes) {
      Case c = make_case(shape);
      for (const Compute compute : {Compute::f32, Compute::bf16, Compute::int8}) {
        for (const Backend::Write write : {Backend::Write::set, Backend::Write::add}) {
          INFO(name(isa) << " " << text(shape) << " compute " << static_cast<int>(compute));
          const std::vector<float> out = product(*cpu, c, compute, 0, shape.m, write);
          double worst = 0;
          for (std::int64_t i = 0; i < shape.m; ++i) {
            for (std::int64_t j = 0; j < shape.n; ++j) {
              double sum = c.bias[j];
              double magnitude = 0;
              for (std::int64_t k = 0; k < shape.k; ++k) {
                sum += static_cast<double>(c.x[i * shape.k + k]) * c.w[j * shape.k + k];
                magnitude += 0.1;
              }
              if (write == Backend::Write::add) sum += c.start[i * shape.n + j];
              worst = std::max(worst, std::abs(out[i * shape.n + j] - sum) / tolerance(compute, std::sqrt(magnitude)));
            }
          }
          CHECK(worst < 1);
        }
      }
    }
  }
}

TEST_CASE("int8 and f32 products have the same bits on every level") {
  for (const Shape& shape : kShapes) {
    Case c = make_case(shape);
    for (const Compute compute : {Compute::f32, Compute::int8}) {
      const std::vector<float> expected = product(*backend(Isa::plain, 1), c, compute, 0, shape.m);
      for (const Isa isa : available_isas()) {
        INFO(name(isa) << " " << text(shape) << " compute " << static_cast<int>(compute));
        const std::vector<float> out = product(*backend(isa, 2), c, compute, 0, shape.m);
        CHECK(same_bits(out.data(), expected.data(), shape.m * shape.n));
      }
    }
  }
}

// A matrix in a K format: random bytes but for the two factors, which are of use.
std::vector<std::byte> random_k_blocks(DType dtype, std::int64_t rows, std::int64_t cols, std::uint32_t seed) {
  const std::size_t block = static_cast<std::size_t>(info(dtype).block_bytes);
  std::vector<std::byte> bytes(static_cast<std::size_t>(row_bytes(dtype, cols) * rows));
  std::uint64_t state = seed;
  for (std::byte& byte : bytes) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    byte = static_cast<std::byte>(state >> 56);
  }
  // Subnormal ones, and blocks of zeros, are among them.
  constexpr std::uint16_t kFactors[] = {0x1234, 0x9234, 0x0123, 0x8001, 0x0000, 0x2e66};
  for (std::size_t at = 0, i = 0; at < bytes.size(); at += block, ++i) {
    const std::size_t first = dtype == DType::q6_k ? 208 : 0;
    std::memcpy(&bytes[at + first], &kFactors[i % 6], 2);
    if (dtype != DType::q6_k) std::memcpy(&bytes[at + 2], &kFactors[(i * 5 + 1) % 5], 2);
  }
  return bytes;
}

TEST_CASE("narrow weights have the bits of int8 ones, for every level, format and mixture of formats") {
  struct Part {
    DType dtype;
    std::int64_t rows;
  };
  const std::vector<std::vector<Part>> stacks = {{{DType::q4_k, 96}},
                                                 {{DType::q5_k, 40}},
                                                 {{DType::q6_k, 33}},
                                                 {{DType::q4_k, 64}, {DType::q6_k, 32}, {DType::q5_k, 17}},
                                                 {{DType::q4_k, 40}, {DType::q6_k, 24}, {DType::q8_0, 32}}};
  for (const auto& stack : stacks) {
    for (const std::int64_t cols : {256, 1024}) {
      std::vector<std::vector<std::byte>> bytes;
      std::vector<StoredMatrix> parts;
      std::int64_t n = 0;
      for (const Part& part : stack) {
        bytes.push_back(part.dtype == DType::q8_0
                            ? std::vector<std::byte>(static_cast<std::size_t>(row_bytes(part.dtype, cols) * part.rows))
                            : random_k_blocks(part.dtype, part.rows, cols, static_cast<std::uint32_t>(n + 7)));
        parts.push_back({part.dtype, bytes.back().data(), part.rows, cols});
        n += part.rows;
      }
      const std::int64_t m = 70;
      std::vector<float> x = random_values(m * cols, 5), bias = random_values(n, 6);
      for (const Isa isa : available_isas()) {
        INFO(name(isa) << " N " << n << " K " << cols << ", parts " << stack.size());
        auto cpu = backend(isa, 2);
        auto wide = cpu->pack(parts, Compute::int8), narrow = cpu->pack(parts, Compute::narrow);
        REQUIRE(wide.ok());
        REQUIRE(narrow.ok());
        CHECK((*narrow)->bytes() < (*wide)->bytes());
        CHECK((*narrow)->compute() == Compute::int8);
        for (const std::int64_t rows : {std::int64_t{1}, std::int64_t{9}, m}) {
          std::vector<float> expected(rows * n), found(rows * n);
          cpu->linear(rows_of(x, cols).slice(0, rows), **wide, bias.data(), rows_of(expected, n));
          cpu->linear(rows_of(x, cols).slice(0, rows), **narrow, bias.data(), rows_of(found, n));
          CHECK(same_bits(found.data(), expected.data(), rows * n));
        }
      }
    }
  }
}

TEST_CASE("a row's product does not depend on the rows beside it") {
  const Shape shape{70, 50, 300};
  Case c = make_case(shape);
  for (const Isa isa : available_isas()) {
    for (const Compute compute : {Compute::f32, Compute::bf16, Compute::int8}) {
      auto cpu = backend(isa, 1);
      const std::vector<float> all = product(*backend(isa, 2), c, compute, 0, shape.m);
      for (const std::int64_t count : {1, 2, 3, 4, 5, 6, 7, 8, 13, 15, 16, 17, 31, 33, 64, 65}) {
        for (const std::int64_t first : {std::int64_t{0}, shape.m - count}) {
          INFO(name(isa) << " compute " << static_cast<int>(compute) << " rows " << first << "+" << count);
          const std::vector<float> some = product(*cpu, c, compute, first, count);
          CHECK(same_bits(some.data(), all.data() + first * shape.n, count * shape.n));
        }
      }
    }
  }
}

// One of several products: its own activations unless it shares those of the first.
struct Beside {
  std::int64_t n, k;
  Compute compute;
  std::int64_t first_row, rows;
  bool shares;
};

TEST_CASE("products beside one another have the bits that each has alone") {
  const std::vector<Beside> kinds = {
      {300, 896, Compute::int8, 0, 21, true},  {64, 896, Compute::int8, 0, 21, true},
      {40, 896, Compute::bf16, 3, 18, true},   {33, 896, Compute::int8, 16, 5, true},
      {65, 64, Compute::bf16, 0, 7, false},    {17, 64, Compute::f32, 0, 9, false},
      {16, 4864, Compute::int8, 0, 30, false}, {16, 128, Compute::int8, 0, 0, false},
      {24, 896, Compute::int8, 0, 5, true},    {24, 896, Compute::int8, 0, 21, true},
      {24, 896, Compute::int8, 16, 5, true},   {24, 896, Compute::int8, 0, 5, true},
  };
  const std::vector<float> shared = random_values(21 * 896, 1);
  for (const Isa isa : available_isas()) {
    auto cpu = backend(isa, 2);
    std::vector<std::vector<float>> xs, outs, expected;
    std::vector<std::unique_ptr<Matrix>> weights;
    std::vector<Backend::Linear> products;
    for (const Beside& kind : kinds) {
      const auto seed = static_cast<std::uint32_t>(xs.size());
      const std::vector<float> values = random_values(kind.n * kind.k, 10 + seed, 0.1f);
      const StoredMatrix weight = stored(values, kind.n, kind.k);
      weights.push_back(std::move(cpu->pack({&weight, 1}, kind.compute).value()));
      xs.push_back(kind.shares ? shared : random_values(kind.rows * kind.k, 30 + seed));
      outs.push_back(random_values(kind.rows * kind.n, 50 + seed));
      expected.push_back(outs.back());
    }
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      const Beside& kind = kinds[i];
      std::vector<float>& values = kind.shares ? xs[0] : xs[i];
      const Rows x = Rows(values.data(), kind.first_row + kind.rows, kind.k).slice(kind.first_row, kind.rows);
      const auto write = i % 2 == 0 ? Backend::Write::set : Backend::Write::add;
      products.push_back({x, weights[i].get(), nullptr, Rows(outs[i].data(), kind.rows, kind.n), write});
      cpu->linear(x, *weights[i], nullptr, Rows(expected[i].data(), kind.rows, kind.n), write);
    }
    cpu->linear(products);
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      INFO(name(isa) << " product " << i);
      CHECK(same_bits(outs[i].data(), expected[i].data(), kinds[i].rows * kinds[i].n));
    }
  }
}

TEST_CASE("extreme activations") {
  const Shape shape{4, 32, 128};
  Case c = make_case(shape);
  std::fill(c.x.begin(), c.x.begin() + 128, 0.0f);          // a zero row
  std::fill(c.x.begin() + 128, c.x.begin() + 256, 1e-40f);  // denormals count as zero
  std::fill(c.x.begin() + 256, c.x.begin() + 384, 3e37f);   // all at the largest code
  for (std::int64_t i = 0; i < 128; ++i) c.x[384 + i] = i % 2 == 0 ? -1.0f : 1.0f;
  for (const Isa isa : available_isas()) {
    INFO(name(isa));
    const std::vector<float> out = product(*backend(isa, 1), c, Compute::int8, 0, 4);
    CHECK(same_bits(out.data(), c.bias.data(), 32));
    CHECK(same_bits(out.data() + 32, c.bias.data(), 32));
    const std::vector<float> expected = product(*backend(Isa::plain, 1), c, Compute::int8, 0, 4);
    CHECK(same_bits(out.data(), expected.data(), 128));
  }
}

TEST_CASE("stacked parts are one matrix") {
  std::vector<float> a = random_values(24 * 64, 5);
  std::vector<float> b = random_values(9 * 64, 6);
  std::vector<float> both = a;
  both.insert(both.end(), b.begin(), b.end());
  std::vector<float> x = random_values(3 * 64, 7);
  const std::vector<StoredMatrix> parts = {stored(a, 24, 64), stored(b, 9, 64)};
  const StoredMatrix whole = stored(both, 33, 64);
  auto cpu = backend(available_isas().back(), 2);
  auto packed_parts = cpu->pack(parts, Compute::int8);
  auto packed_whole = cpu->pack({&whole, 1}, Compute::int8);
  std::vector<float> out(99), expected(99);
  cpu->linear(rows_of(x, 64), **packed_parts, nullptr, rows_of(out, 33));
  cpu->linear(rows_of(x, 64), **packed_whole, nullptr, rows_of(expected, 33));
  CHECK(out == expected);
  CHECK((*packed_parts)->rows() == 33);
}

}  // namespace
}  // namespace cinnabar::kernels::cpu
