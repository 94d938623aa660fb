// Every operation of the CUDA backend against the plain CPU backend, and its rows against rows computed alone.
#include <algorithm>
#include <numeric>
#include <tuple>

#include "tests/unit/kernels/cuda/cuda_fixture.h"

namespace cinnabar::kernels::cuda {
namespace {

using namespace testing;

// --- operations on rows

struct RowOperation {
  std::string what;
  std::int64_t cols_in, cols_out;
  double tolerance;  // 0: the same bits
  // `shared`: 1,024 values on the device.
  std::function<void(Backend&, Rows x, std::int64_t first_row, const float* shared, Rows out)> run;
};

std::vector<std::int32_t> positions(std::int64_t first, std::int64_t count) {
  std::vector<std::int32_t> all;
  for (std::int64_t row = first; row < first + count; ++row)
    all.push_back(static_cast<std::int32_t>(row * row * 7 % 4000));
  return all;
}

void copy(Backend& backend, Rows from, Rows to) {
  std::vector<std::int32_t> all;
  for (std::int64_t row = 0; row < from.rows; ++row) all.push_back(static_cast<std::int32_t>(row));
  backend.gather_rows(from, all, to);
}

RowOperation norm(std::int64_t cols) {
  return {"rms_norm " + std::to_string(cols), cols, cols, 1e-6,
          [](Backend& b, Rows x, std::int64_t, const float* shared, Rows out) { b.rms_norm(x, shared, 1e-6f, out); }};
}
RowOperation head_norm(int size) {
  return {"head_norm " + std::to_string(size), 3 * size, 3 * size, 1e-6,
          [size](Backend& b, Rows x, std::int64_t, const float* shared, Rows out) {
            copy(b, x, out);
            b.head_norm(out, shared, 1e-6f, size);
          }};
}
RowOperation rotary(int size) {
  return {"rope " + std::to_string(size), 2 * size, 2 * size, 0,
          [size](Backend& b, Rows x, std::int64_t first_row, const float*, Rows out) {
            copy(b, x, out);
            b.rope(out, positions(first_row, x.rows), {1e6f, size});
          }};
}
RowOperation silu(std::int64_t cols) {
  return {"gated_silu " + std::to_string(cols), 2 * cols, cols, 1e-6,
          [](Backend& b, Rows x, std::int64_t, const float*, Rows out) { b.gated_silu(x, out); }};
}

RowOperation layer(std::int64_t cols) {
  return {"layer_norm " + std::to_string(cols), cols, cols, 4e-6,
          [](Backend& b, Rows x, std::int64_t, const float* shared, Rows out) {
            b.layer_norm(x, shared, shared + 5, 1e-5f, out);
          }};
}
RowOperation gelu(std::int64_t cols) {
  return {"gelu " + std::to_string(cols), cols, cols, 1e-6,
          [](Backend& b, Rows x, std::int64_t, const float*, Rows out) { b.gelu(x, out); }};
}

Values run_rows(Backend& backend, const RowOperation& operation, const Values& x, std::int64_t first,
                std::int64_t count) {
  const Values some(x.begin() + first * operation.cols_in, x.begin() + (first + count) * operation.cols_in);
  auto shared = backend.upload(random_values(1024, 31));
  REQUIRE(shared);
  return run_on(backend, some, Values(static_cast<std::size_t>(count * operation.cols_out)),
                [&](float* in, float* out) {
                  operation.run(backend, Rows(in, count, operation.cols_in), first, shared.value()->data(),
                                Rows(out, count, operation.cols_out));
                });
}

TEST_CASE("cuda: operations on rows agree with the CPU, each row by itself") {
  constexpr std::int64_t kRows = 19;
  auto cuda = cuda_backend(), cpu = plain_cpu();
  for (const RowOperation& operation :
       {norm(1), norm(64), norm(100), norm(896), head_norm(32), head_norm(20), rotary(64), rotary(6), rotary(128),
        silu(16), silu(301), layer(1), layer(64), layer(896), gelu(16), gelu(301)}) {
    INFO(operation.what);
    const Values x = random_values(kRows * operation.cols_in, 32, 6);
    const Values expected = run_rows(*cpu, operation, x, 0, kRows), got = run_rows(*cuda, operation, x, 0, kRows);
    CHECK(distance(got, expected) <= operation.tolerance);
    for (const std::int64_t row : {0, 7, 18}) {
      const Values alone = run_rows(*cuda, operation, x, row, 1);
      CHECK(same_bits(alone.data(), got.data() + row * operation.cols_out, operation.cols_out));
    }
  }
}

// The second and third row go to one place, in this order.
Values added_rows(Backend& backend) {
  const std::vector<std::int32_t> rows = {4, 1, 1, 0};
  const std::vector<float> factors = {1, 0.5f, -3, 2};
  return run_on(backend, random_values(4 * 300, 36), random_values(5 * 300, 37),
                [&](float* in, float* out) { backend.add_rows(Rows(in, 4, 300), rows, factors, Rows(out, 5, 300)); });
}

TEST_CASE("cuda: rows are added in order") {
  auto cuda = cuda_backend(), cpu = plain_cpu();
  const Values got = added_rows(*cuda), expected = added_rows(*cpu);
  CHECK(distance(got, expected) <= 1e-6);
  Values wanted = random_values(5 * 300, 37);
  const Values x = random_values(4 * 300, 36);
  for (std::size_t i = 0; i < 300; ++i) {
    wanted[4 * 300 + i] += x[i];
    wanted[300 + i] = wanted[300 + i] + 0.5f * x[300 + i] - 3 * x[600 + i];
    wanted[i] += 2 * x[900 + i];
  }
  CHECK(distance(expected, wanted) <= 1e-6);
}

TEST_CASE("cuda: more rows than travel with one launch") {
  auto cuda = cuda_backend(), cpu = plain_cpu();
  const Values x = random_values(1100 * 4, 33);
  CHECK(run_rows(*cuda, rotary(2), x, 0, 1100) == run_rows(*cpu, rotary(2), x, 0, 1100));
}

TEST_CASE("cuda: embedding expands stored rows, into columns of wider rows, too") {
  auto cuda = cuda_backend();
  const Values table = random_values(20 * 96, 35);
  const std::vector<std::int32_t> ids = {19, 0, 7, 7};
  const Values out = run_on(*cuda, {}, Values(4 * 100, 5.0f), [&](float*, float* to) {
    cuda->embed(ids, stored(table, 20, 96), Rows(to + 2, 4, 96, 100));
  });
  for (std::int64_t row = 0; row < 4; ++row) {
    CHECK(same_bits(out.data() + row * 100 + 2, table.data() + 96 * ids[static_cast<std::size_t>(row)], 96));
    CHECK(out[static_cast<std::size_t>(row * 100 + 1)] == 5.0f);
    CHECK(out[static_cast<std::size_t>(row * 100 + 98)] == 5.0f);
  }
}

// --- products

struct Shape {
  std::int64_t m, n, k;
};

Values product(Backend& backend, const Shape& s, Compute compute, Backend::Write write, std::int64_t first,
               std::int64_t count) {
  const Values w = random_values(s.n * s.k, 2, 0.1f), start = random_values(s.m * s.n, 4);
  Values x = random_values(s.m * s.k, 1);
  if (s.m > 2) std::fill(x.begin(), x.begin() + s.k, 1e-40f);  // counts as zero
  const StoredMatrix weight = stored(w, s.n, s.k);
  auto packed = backend.pack({&weight, 1}, compute);
  auto bias = backend.upload(random_values(s.n, 3));
  REQUIRE(packed);
  REQUIRE(bias);
  return run_on(backend, Values(x.begin() + first * s.k, x.begin() + (first + count) * s.k),
                Values(start.begin() + first * s.n, start.begin() + (first + count) * s.n), [&](float* in, float* out) {
                  backend.linear(Rows(in, count, s.k), **packed, bias.value()->data(), Rows(out, count, s.n), write);
                });
}

TEST_CASE("cuda: products of int8 and f32 have the CPU's bits, those of bf16 are near; each row by itself") {
  auto cuda = cuda_backend(), cpu = plain_cpu();
  const std::vector<Shape> shapes = {{1, 16, 64},   {2, 33, 64},   {1, 5, 7},      {8, 48, 128}, {9, 16, 129},
                                     {17, 40, 200}, {33, 31, 300}, {12, 20, 1200}, {64, 17, 96}, {3, 70, 1030}};
  for (const Shape& s : shapes) {
    for (const Compute compute : {Compute::f32, Compute::bf16, Compute::int8}) {
      for (const Backend::Write write : {Backend::Write::set, Backend::Write::add}) {
        INFO("M " << s.m << " N " << s.n << " K " << s.k << " compute " << static_cast<int>(compute));
        const Values got = product(*cuda, s, compute, write, 0, s.m),
                     expected = product(*cpu, s, compute, write, 0, s.m);
        if (compute == Compute::bf16)
          CHECK(distance(got, expected) < 1e-5);
        else
          CHECK(same_bits(got.data(), expected.data(), s.m * s.n));
        const std::int64_t count = std::min<std::int64_t>(s.m, 3);
        const Values last = product(*cuda, s, compute, write, s.m - count, count);
        CHECK(same_bits(last.data(), got.data() + (s.m - count) * s.n, count * s.n));
      }
    }
  }
}

TEST_CASE("cuda: stacked parts are one matrix, and views of wider rows leave the rest alone") {
  auto cuda = cuda_backend(), cpu = plain_cpu();
  const Values a = random_values(24 * 64, 5), b = random_values(9 * 64, 6), x = random_values(3 * 80, 7);
  const std::vector<StoredMatrix> parts = {stored(a, 24, 64), stored(b, 9, 64)};
  const auto run = [&](Backend& backend) {
    auto packed = backend.pack(parts, Compute::int8);
    REQUIRE(packed);
    CHECK((*packed)->rows() == 33);
    return run_on(backend, x, Values(3 * 50, 9.0f), [&](float* in, float* out) {
      backend.linear(Rows(in + 8, 3, 64, 80), **packed, nullptr, Rows(out + 4, 3, 33, 50));
    });
  };
  CHECK(run(*cuda) == run(*cpu));
}

TEST_CASE("cuda: products of one call have the bits of calls of their own, whatever their neighbours read") {
  auto cuda = cuda_backend();
  constexpr std::int64_t kRows = 9, kInner = 200, kOuter = 24, kWide = 256;
  const Values w = random_values(kOuter * kInner, 8, 0.1f), x = random_values(2 * kRows * kWide, 9);
  const StoredMatrix weight = stored(w, kOuter, kInner);
  std::vector<std::unique_ptr<Matrix>> packed;
  for (const Compute compute : {Compute::int8, Compute::bf16, Compute::f32}) {
    auto matrix = cuda->pack({&weight, 1}, compute);
    REQUIRE(matrix);
    packed.push_back(std::move(matrix).value());
  }
  // What a product reads: rows, their number and their width, as neighbours with the same rounding and without.
  struct Reads {
    std::size_t weight;
    std::int64_t first, rows, stride;
  };
  const std::vector<Reads> all = {{0, 0, kRows, kWide}, {0, 0, kRows, kWide}, {1, 0, kRows, kWide},
                                  {0, 0, kRows, kWide}, {0, 0, 5, kWide},     {0, 0, kRows, 210},
                                  {2, 0, kRows, 210},   {0, 0, kRows, 210},   {0, 7, kRows, kWide},
                                  {1, 7, kRows, kWide}, {1, 7, kRows, kWide}};
  const auto run = [&](bool together) {
    return run_on(*cuda, x, Values(all.size() * kRows * kOuter, 0.0f), [&](float* in, float* out) {
      std::vector<Backend::Linear> products;
      for (std::size_t i = 0; i < all.size(); ++i) {
        const Reads& r = all[i];
        products.push_back({Rows(in + r.first, r.rows, kInner, r.stride), packed[r.weight].get(), nullptr,
                            Rows(out + static_cast<std::int64_t>(i) * kRows * kOuter, r.rows, kOuter)});
      }
      if (together) return cuda->linear(products);
      for (const Backend::Linear& product : products) cuda->linear({&product, 1});
    });
  };
  CHECK(run(true) == run(false));
}

// --- attention

struct Heads {
  int kv_heads, group, size;
  std::int64_t capacity;
  std::vector<std::int32_t> limits;
  std::vector<SlotRange> hidden = {};
};

std::vector<std::int32_t> causal(std::int32_t first, int rows) {
  std::vector<std::int32_t> limits(static_cast<std::size_t>(rows));
  std::iota(limits.begin(), limits.end(), first + 1);
  return limits;
}

std::unique_ptr<KvStore> filled(Backend& backend, const Heads& h, std::int64_t slots) {
  auto kv = backend.make_kv({2, h.kv_heads, h.size, h.capacity});
  REQUIRE(kv);
  const std::int64_t width = std::int64_t{h.kv_heads} * h.size;
  auto k = backend.upload(random_values(h.capacity * width, 12, 2)),
       v = backend.upload(random_values(h.capacity * width, 13));
  REQUIRE(k);
  REQUIRE(v);
  std::vector<std::int32_t> order;
  order.resize(static_cast<std::size_t>(slots));
  std::iota(order.begin(), order.end(), 0);
  backend.kv_write(**kv, 1, Rows(k.value()->data(), slots, width), Rows(v.value()->data(), slots, width), order);
  return std::move(kv).value();
}

Values attend(Backend& backend, const Heads& h, const KvStore& kv, std::int64_t first, std::int64_t count) {
  const std::int64_t width = std::int64_t{h.kv_heads} * h.group * h.size;
  const Values q = random_values(std::ssize(h.limits) * width, 11, 2);
  const AttentionSegment segment{
      &kv, 0, std::span(h.limits).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)),
      h.hidden.empty() ? std::span<const SlotRange>()
                       : std::span(h.hidden).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count))};
  return run_on(backend, Values(q.begin() + first * width, q.begin() + (first + count) * width),
                Values(static_cast<std::size_t>(count * width)), [&](float* in, float* out) {
                  backend.attention(Rows(in, count, width), {&segment, 1}, 1, 1 / std::sqrt(static_cast<float>(h.size)),
                                    Rows(out, count, width));
                });
}

TEST_CASE("cuda: attention agrees with the CPU, each row by itself and blind to what it must not see") {
  auto cuda = cuda_backend(), cpu = plain_cpu();
  const std::vector<Heads> all = {{1, 1, 32, 1, {1}},
                                  {2, 7, 64, 100, causal(0, 5)},
                                  {1, 2, 128, 64, {64, 64, 64}},
                                  {3, 1, 96, 45, {45, 1, 32, 33, 31}},
                                  {1, 4, 256, 40, causal(8, 4)},
                                  {2, 2, 64, 600, {600, 599, 1, 256, 257}},
                                  {1, 40, 64, 70, {70, 3}},
                                  {2, 7, 64, 90, {71, 74, 78, 90}, {{}, {70, 73}, {1, 77}, {33, 66}}},
                                  {1, 2, 32, 600, {600, 540, 600}, {{20, 580}, {255, 513}, {9, 9}}}};
  for (const Heads& h : all) {
    INFO("heads " << h.kv_heads << " group " << h.group << " size " << h.size << " capacity " << h.capacity);
    auto on_cuda = filled(*cuda, h, h.capacity), on_cpu = filled(*cpu, h, h.capacity);
    const std::int64_t rows = std::ssize(h.limits), width = std::int64_t{h.kv_heads} * h.group * h.size;
    const Values got = attend(*cuda, h, *on_cuda, 0, rows);
    CHECK(distance(got, attend(*cpu, h, *on_cpu, 0, rows)) < 1e-5);
    for (const std::int64_t row : {std::int64_t{0}, rows - 1}) {
      auto fresh = filled(*cuda, h, h.limits[static_cast<std::size_t>(row)]);  // later slots never written
      const Values alone = attend(*cuda, h, *fresh, row, 1);
      CHECK(same_bits(alone.data(), got.data() + row * width, width));
    }
  }
}

TEST_CASE("cuda: several sequences in one call, and copied slots") {
  auto cuda = cuda_backend();
  const Heads a{2, 3, 64, 50, causal(20, 4)}, b{2, 3, 64, 90, {90, 90}};
  auto kv_a = filled(*cuda, a, 50), kv_b = filled(*cuda, b, 90);
  const std::int64_t width = 2 * 3 * 64;
  const Values q_a = random_values(4 * width, 11, 2), q_b = random_values(2 * width, 11, 2);
  Values q = q_a, expected = attend(*cuda, a, *kv_a, 0, 4);
  q.insert(q.end(), q_b.begin(), q_b.end());
  const Values second = attend(*cuda, b, *kv_b, 0, 2);
  expected.insert(expected.end(), second.begin(), second.end());
  const std::vector<AttentionSegment> segments = {{kv_a.get(), 0, a.limits}, {kv_b.get(), 4, b.limits}};
  CHECK(run_on(*cuda, q, Values(q.size()), [&](float* in, float* out) {
          cuda->attention(Rows(in, 6, width), segments, 1, 0.125f, Rows(out, 6, width));
        }) == expected);

  auto copy = cuda->make_kv({2, 2, 64, 30});
  REQUIRE(copy);
  cuda->copy_kv(*kv_a, **copy, 22);
  CHECK(attend(*cuda, a, **copy, 1, 1) == attend(*cuda, a, *kv_a, 1, 1));
}

// --- scores

std::vector<Score> judge(Backend& backend, std::int64_t vocabulary, std::span<const ScoreRequest> requests,
                         std::int64_t first, std::int64_t count) {
  const Values w = random_values(vocabulary * 64, 21), x = random_values(std::ssize(requests) * 64, 22);
  const StoredMatrix weight = stored(w, vocabulary, 64);
  auto packed = backend.pack({&weight, 1}, Compute::int8);
  auto on_device = backend.upload(x);
  REQUIRE(packed);
  REQUIRE(on_device);
  std::vector<Score> scores(static_cast<std::size_t>(count));
  backend.score_rows(Rows(on_device.value()->data() + first * 64, count, 64), **packed,
                     requests.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)), scores);
  REQUIRE(backend.failure());
  return scores;
}

void check_near(const Score& got, const Score& expected) {
  CHECK(got.token == expected.token);
  CHECK(got.best == expected.best);
  CHECK(got.logit == expected.logit);  // products of int8 have the CPU's bits
  CHECK(got.best_logit == expected.best_logit);
  CHECK(got.second_logit == expected.second_logit);
  CHECK(got.log_sum_exp == Approx(expected.log_sum_exp).epsilon(1e-5).margin(1e-5));
  CHECK(got.entropy == Approx(expected.entropy).epsilon(1e-4).margin(1e-5));
  CHECK(got.asked_logit == expected.asked_logit);
  CHECK(got.ranked == expected.ranked);
}

auto fields(const Score& s) {
  return std::tuple(s.token, s.logit, s.best, s.best_logit, s.second_logit, s.log_sum_exp, s.entropy, s.asked_logit,
                    s.ranked);
}

TEST_CASE("cuda: scores choose the CPU's tokens, greedy and sampled, with and without a mask; each row by itself") {
  auto cuda = cuda_backend(), cpu = plain_cpu();
  for (const std::int64_t vocabulary : {1, 17, 256, 300, 1111}) {
    std::vector<std::uint64_t> some(static_cast<std::size_t>(vocabulary + 63) / 64), none(some.size());
    for (std::int64_t token = vocabulary > 3 ? 3 : 0; token < vocabulary; token += 5)
      some[static_cast<std::size_t>(token / 64)] |= std::uint64_t{1} << (token % 64);
    std::vector<ScoreRequest> requests;
    for (std::uint32_t row = 0; row < 12; ++row) {
      const std::uint64_t* allowed = row % 3 == 0 ? some.data() : nullptr;
      requests.push_back({row == 11 ? none.data() : allowed, row % 2 == 0 ? 0.0f : 0.7f, 0x123456789abcdefu, row % 4,
                          row, static_cast<std::int32_t>((row * 101 + 3) % vocabulary) - (row % 4 == 1 ? 1 : 0),
                          row % 5 != 2});
    }
    const std::vector<Score> got = judge(*cuda, vocabulary, requests, 0, 12),
                             expected = judge(*cpu, vocabulary, requests, 0, 12);
    for (std::int64_t row = 0; row < 12; ++row) {
      INFO("V " << vocabulary << " row " << row);
      check_near(got[static_cast<std::size_t>(row)], expected[static_cast<std::size_t>(row)]);
    }
    const Score alone = judge(*cuda, vocabulary, requests, 5, 1)[0];
    CHECK(fields(alone) == fields(got[5]));
    CHECK(got[11].token == -1);
  }
}

TEST_CASE("cuda: equal logits go to the smallest token") {
  auto cuda = cuda_backend();
  const Values w(600 * 64, 0.5f);
  const StoredMatrix weight = stored(w, 600, 64);
  auto packed = cuda->pack({&weight, 1}, Compute::int8);
  auto x = cuda->upload(Values(64, 1.0f));
  REQUIRE(packed);
  REQUIRE(x);
  std::vector<Score> scores(1);
  cuda->score_rows(Rows(x.value()->data(), 1, 64), **packed, std::vector<ScoreRequest>(1), scores);
  CHECK(scores[0].token == 0);
  CHECK(scores[0].second_logit == scores[0].best_logit);
  CHECK(scores[0].entropy == Approx(std::log(600.0)).epsilon(1e-5));
}

TEST_CASE("cuda: the backend says what it is, and what a wrong library is") {
  auto cuda = cuda_backend();
  CHECK(cuda->description().starts_with("cuda ("));
  CHECK_FALSE(cuda->host_memory());
  CHECK(cuda->failure());
  const auto missing = open_backend("/nonexistent/libcinnabar_cuda.so");
  REQUIRE_FALSE(missing);
  CHECK(missing.message().starts_with("cannot open /nonexistent/libcinnabar_cuda.so: "));
  const auto other = open_backend("libm.so.6");
  REQUIRE_FALSE(other);
  CHECK(other.message() == "libm.so.6 is not of the same build as this program; install both together");
}

}  // namespace
}  // namespace cinnabar::kernels::cuda
