// Products of weights of 4 bits on the CUDA backend: against sums in double of the weights that the codes stand for, and
// against the plain CPU backend.
#include <algorithm>
#include <numeric>

#include "tests/unit/kernels/cuda/cuda_fixture.h"
#include "tests/unit/kernels/int4_fixture.h"

namespace cinnabar::kernels::cuda {
namespace {

using namespace testing;
using kernels::testing::random_stored;
using kernels::testing::RandomStored;
using kernels::testing::values_of_int4;

struct Shape {
  DType dtype;
  std::int64_t m, n, k;
};

std::string text(const Shape& s) {
  return std::string(info(s.dtype).name) + ", M " + std::to_string(s.m) + " N " + std::to_string(s.n) + " K " +
         std::to_string(s.k);
}

// One row, tails of every kind, more rows than a launch's block has; K in whole blocks of the format.
const Shape kShapes[] = {
    {DType::f32, 1, 16, 64},   {DType::f32, 2, 33, 65},    {DType::f32, 1, 5, 7},      {DType::f32, 9, 16, 129},
    {DType::f32, 17, 40, 200}, {DType::f32, 33, 31, 300},  {DType::f32, 12, 20, 1200}, {DType::q4_0, 1, 48, 32},
    {DType::q4_0, 8, 17, 96},  {DType::q4_0, 40, 33, 544}, {DType::q4_1, 3, 70, 160},  {DType::q4_1, 11, 16, 64},
    {DType::q4_k, 1, 16, 256}, {DType::q4_k, 7, 40, 512},  {DType::q4_k, 35, 24, 768}, {DType::q8_0, 5, 18, 224},
    {DType::q6_k, 2, 21, 256},
};

Values multiply(Backend& backend, std::span<const StoredMatrix> parts, const Values& x, std::int64_t rows,
                Backend::Write write = Backend::Write::set) {
  auto packed = backend.pack(parts, Compute::int4);
  REQUIRE(packed);
  const std::int64_t n = (*packed)->rows(), k = (*packed)->cols();
  auto bias = backend.upload(random_values(n, 3));
  REQUIRE(bias);
  return run_on(backend, x, random_values(rows * n, 4), [&](float* in, float* out) {
    backend.linear(Rows(in, rows, k), **packed, bias.value()->data(), Rows(out, rows, n), write);
  });
}

TEST_CASE("cuda: int4: rows of one 1 give the weights that the codes stand for, bit for bit") {
  auto cuda = cuda_backend();
  for (const Shape& s : kShapes) {
    INFO(text(s));
    const RandomStored stored = random_stored(s.dtype, s.n, s.k, 7);
    const Values weights = values_of_int4(stored.matrix);
    auto packed = cuda->pack({&stored.matrix, 1}, Compute::int4);
    REQUIRE(packed);
    CHECK((*packed)->compute() == Compute::int4);
    Values ones(static_cast<std::size_t>(s.k * s.k));
    for (std::int64_t k = 0; k < s.k; ++k) ones[static_cast<std::size_t>(k * s.k + k)] = 1;
    const std::int64_t some = std::min<std::int64_t>(s.k, 80);  // the first, and with them the last, columns
    for (const std::int64_t first : {std::int64_t{0}, s.k - some}) {
      const Values got = run_on(*cuda, Values(ones.begin() + first * s.k, ones.begin() + (first + some) * s.k),
                                Values(static_cast<std::size_t>(some * s.n)), [&](float* in, float* out) {
                                  cuda->linear(Rows(in, some, s.k), **packed, nullptr, Rows(out, some, s.n));
                                });
      std::int64_t wrong = 0;
      for (std::int64_t k = 0; k < some; ++k) {
        for (std::int64_t n = 0; n < s.n; ++n)
          wrong += got[static_cast<std::size_t>(k * s.n + n)] != weights[static_cast<std::size_t>(n * s.k + first + k)];
      }
      CHECK(wrong == 0);
    }
  }
}

// Sums in double of rounded activations; the largest difference in relation to the sum of the terms' sizes.
double distance_from_double(const Shape& s, const Values& weights, const Values& x, const Values& got,
                            Backend::Write write) {
  const Values bias = random_values(s.n, 3), start = random_values(s.m * s.n, 4);
  double worst = 0;
  for (std::int64_t i = 0; i < s.m * s.n; ++i) {
    const auto at = static_cast<std::size_t>(i);
    double sum = bias[static_cast<std::size_t>(i % s.n)] + (write == Backend::Write::add ? start[at] : 0.0), size = 1;
    for (std::int64_t k = 0; k < s.k; ++k) {
      const float rounded = bf16_to_f32(f32_to_bf16(x[static_cast<std::size_t>(i / s.n * s.k + k)]));
      const double term = double{rounded} * weights[static_cast<std::size_t>(i % s.n * s.k + k)];
      sum += term;
      size += std::abs(term);
    }
    worst = std::max(worst, std::abs(got[at] - sum) / size);
  }
  return worst;
}

TEST_CASE("cuda: int4: products are f32 sums of the codes' weights and rounded rows; each row by itself") {
  auto cuda = cuda_backend(), cpu = plain_cpu();
  for (const Shape& s : kShapes) {
    const RandomStored stored = random_stored(s.dtype, s.n, s.k, 11);
    const Values weights = values_of_int4(stored.matrix), x = random_values(s.m * s.k, 1);
    for (const Backend::Write write : {Backend::Write::set, Backend::Write::add}) {
      INFO(text(s) << (write == Backend::Write::add ? ", added" : ""));
      const Values got = multiply(*cuda, {&stored.matrix, 1}, x, s.m, write);
      CHECK(distance_from_double(s, weights, x, got, write) < 2e-6);
      // The CPU keeps the same weights in bf16.
      CHECK(distance_from_double(s, weights, x, multiply(*cpu, {&stored.matrix, 1}, x, s.m, write), write) < 0x1p-8);
      if (write == Backend::Write::add) continue;
      for (const std::int64_t row : {std::int64_t{0}, s.m - 1}) {
        const Values alone =
            multiply(*cuda, {&stored.matrix, 1}, Values(x.begin() + row * s.k, x.begin() + (row + 1) * s.k), 1);
        CHECK(same_bits(alone.data(), got.data() + row * s.n, s.n));
      }
    }
  }
}

TEST_CASE("cuda: int4: parts of different formats are one matrix") {
  auto cuda = cuda_backend();
  const RandomStored parts[] = {random_stored(DType::q4_0, 24, 256, 1), random_stored(DType::q4_k, 9, 256, 2),
                                random_stored(DType::f32, 5, 256, 3), random_stored(DType::q6_k, 30, 256, 4)};
  const std::vector<StoredMatrix> all = {parts[0].matrix, parts[1].matrix, parts[2].matrix, parts[3].matrix};
  Values weights;
  for (const StoredMatrix& part : all) {
    const Values some = values_of_int4(part);
    weights.insert(weights.end(), some.begin(), some.end());
  }
  const Shape shape{DType::f32, 6, 68, 256};
  const Values x = random_values(shape.m * shape.k, 5);
  const Values got = multiply(*cuda, all, x, shape.m);
  CHECK(distance_from_double(shape, weights, x, got, Backend::Write::set) < 2e-6);
}

TEST_CASE("cuda: int4: a matrix takes 4.5 bits a weight, 5 with offsets, and codes of files travel as they are") {
  auto cuda = cuda_backend();
  struct Row {
    DType dtype;
    std::int64_t bits_of_32;
    bool as_stored;
  };
  for (const Row& row : {Row{DType::q4_0, 144, true},
                         {DType::q4_1, 160, true},
                         {DType::q4_k, 160, true},
                         {DType::q8_0, 144, false},
                         {DType::f32, 144, false}}) {
    INFO(info(row.dtype).name);
    constexpr std::int64_t kRows = 64, kCols = 512;
    const RandomStored stored = random_stored(row.dtype, kRows, kCols, 1);
    const std::int64_t before = cuda->traffic().bytes;
    auto packed = cuda->pack({&stored.matrix, 1}, Compute::int4);
    REQUIRE(packed);
    CHECK((*packed)->bytes() == kRows * kCols / 32 * row.bits_of_32 / 8);
    const auto as_stored = static_cast<std::int64_t>(stored.bytes.size());
    CHECK(cuda->traffic().bytes - before ==
          (row.as_stored ? as_stored : kRows * kCols * static_cast<std::int64_t>(sizeof(float))));
  }
}

TEST_CASE("cuda: int4: products share their rows' rounding with bf16's, and have the bits of calls of their own") {
  auto cuda = cuda_backend();
  const RandomStored stored = random_stored(DType::q4_k, 24, 256, 8), other = random_stored(DType::f32, 16, 256, 9);
  auto int4 = cuda->pack({&stored.matrix, 1}, Compute::int4), bf16 = cuda->pack({&other.matrix, 1}, Compute::bf16);
  auto int8 = cuda->pack({&other.matrix, 1}, Compute::int8);
  REQUIRE(int4);
  REQUIRE(bf16);
  REQUIRE(int8);
  const Matrix* order[] = {int4->get(), bf16->get(), int4->get(), int8->get(), int4->get()};
  std::int64_t launches = 0;
  const auto run = [&](bool together) {
    return run_on(*cuda, random_values(9 * 256, 2), Values(std::size(order) * 9 * 24), [&](float* in, float* out) {
      std::vector<Backend::Linear> products;
      for (const Matrix* weight : order) {
        products.push_back({Rows(in, 9, 256), weight, nullptr, Rows(out, 9, weight->rows(), 24)});
        out += std::ptrdiff_t{9} * 24;
      }
      const std::int64_t before = cuda->traffic().launches;
      if (together) cuda->linear(products);
      for (const Backend::Linear& product : products)
        if (!together) cuda->linear({&product, 1});
      launches = cuda->traffic().launches - before;
    });
  };
  const Values alone = run(false);
  CHECK(launches == 5 + 5);
  CHECK(run(true) == alone);
  CHECK(launches == 5 + 3);
}

}  // namespace
}  // namespace cinnabar::kernels::cuda
