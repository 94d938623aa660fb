#include <catch2/catch.hpp>
#include <functional>
#include <string>

#include "tests/unit/kernels/kernel_fixture.h"

namespace cinnabar::kernels::cpu {
namespace {

using namespace testing;

// One operation on rows: how the backend does it in place of `x`, and what a value should be.
struct Operation {
  std::string what;
  std::int64_t cols_in, cols_out;
  double tolerance;
  std::function<void(Backend&, Rows x, std::int64_t first_row, Rows out)> run;
  std::function<double(const float* x, std::int64_t row, std::int64_t column)> expected;
};

void copy(Rows from, Rows to) {
  for (std::int64_t row = 0; row < from.rows; ++row) {
    std::memcpy(to.data + row * to.stride, from.data + row * from.stride, from.cols * sizeof(float));
  }
}

Operation rms(std::int64_t cols, const std::vector<float>& weight) {
  return {"rms_norm " + std::to_string(cols),
          cols,
          cols,
          1e-5,
          [&weight](Backend& cpu, Rows x, std::int64_t, Rows out) { cpu.rms_norm(x, weight.data(), 1e-6f, out); },
          [cols, &weight](const float* x, std::int64_t, std::int64_t column) {
            double sum = 0;
            for (std::int64_t i = 0; i < cols; ++i) sum += static_cast<double>(x[i]) * x[i];
            return x[column] / std::sqrt(sum / static_cast<double>(cols) + 1e-6) * weight[column];
          }};
}

Operation per_head(int size, const std::vector<float>& weight) {
  return {"head_norm " + std::to_string(size),
          3 * size,
          3 * size,
          1e-5,
          [size, &weight](Backend& cpu, Rows x, std::int64_t, Rows out) {
            copy(x, out);
            cpu.head_norm(out, weight.data(), 1e-6f, size);
          },
          [size, &weight](const float* x, std::int64_t, std::int64_t column) {
            const float* head = x + column / size * size;
            double sum = 0;
            for (int i = 0; i < size; ++i) sum += static_cast<double>(head[i]) * head[i];
            return x[column] / std::sqrt(sum / size + 1e-6) * weight[column % size];
          }};
}

std::int32_t position_of(std::int64_t row) { return static_cast<std::int32_t>(row * row * 7 % 4000); }

Operation rotary(int size) {
  return {"rope " + std::to_string(size),
          2 * size,
          2 * size,
          2e-6,
          [size](Backend& cpu, Rows x, std::int64_t first_row, Rows out) {
            copy(x, out);
            std::vector<std::int32_t> positions;
            for (std::int64_t row = 0; row < x.rows; ++row) positions.push_back(position_of(first_row + row));
            cpu.rope(out, positions, {1e6f, size});
          },
          [size](const float* x, std::int64_t row, std::int64_t column) {
            const int half = size / 2;
            const std::int64_t i = column % size % half;
            const float* head = x + column / size * size;
            const double angle = position_of(row) * std::pow(1e6, -2.0 * static_cast<double>(i) / size);
            const bool second = column % size >= half;
            return second ? head[half + i] * std::cos(angle) + head[i] * std::sin(angle)
                          : head[i] * std::cos(angle) - head[half + i] * std::sin(angle);
          }};
}

Operation silu(std::int64_t cols) {
  return {"gated_silu " + std::to_string(cols),
          2 * cols,
          cols,
          1e-6,
          [](Backend& cpu, Rows x, std::int64_t, Rows out) { cpu.gated_silu(x, out); },
          [cols](const float* x, std::int64_t, std::int64_t column) {
            const double gate = x[column];
            return gate / (1 + std::exp(-gate)) * x[cols + column];
          }};
}

Operation layer(std::int64_t cols, const std::vector<float>& weight) {
  return {"layer_norm " + std::to_string(cols),
          cols,
          cols,
          4e-6,
          [&weight](Backend& cpu, Rows x, std::int64_t, Rows out) {
            cpu.layer_norm(x, weight.data(), weight.data() + 7, 1e-5f, out);
          },
          [&weight, cols](const float* x, std::int64_t, std::int64_t column) {
            double mean = 0, squares = 0;
            for (std::int64_t i = 0; i < cols; ++i) mean += x[i] / static_cast<double>(cols);
            for (std::int64_t i = 0; i < cols; ++i) squares += (x[i] - mean) * (x[i] - mean);
            return (x[column] - mean) / std::sqrt(squares / static_cast<double>(cols) + 1e-5) * weight[column] +
                   weight[column + 7];
          }};
}

Operation gelu(std::int64_t cols) {
  return {"gelu " + std::to_string(cols),
          cols,
          cols,
          1e-6,
          [](Backend& cpu, Rows x, std::int64_t, Rows out) { cpu.gelu(x, out); },
          [](const float* x, std::int64_t, std::int64_t column) {
            const double v = x[column];
            return v / 2 * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (v + 0.044715 * v * v * v)));
          }};
}

TEST_CASE("row operations: near the value in double, equal on every level, independent of other rows and threads") {
  const std::vector<float> weight = random_values(1000, 31);
  const std::vector<Operation> operations = {rms(1, weight),
                                             rms(64, weight),
                                             rms(100, weight),
                                             rms(896, weight),
                                             per_head(32, weight),
                                             per_head(20, weight),
                                             rotary(64),
                                             rotary(6),
                                             rotary(128),
                                             silu(16),
                                             silu(301),
                                             layer(1, weight),
                                             layer(64, weight),
                                             layer(100, weight),
                                             layer(896, weight),
                                             gelu(16),
                                             gelu(301)};
  constexpr std::int64_t kRows = 70;
  for (const Operation& operation : operations) {
    std::vector<float> x = random_values(kRows * operation.cols_in, 32, 6);
    std::vector<float> first_level;
    for (const Isa isa : available_isas()) {
      INFO(operation.what << " " << name(isa));
      auto two = backend(isa, 2);
      auto one = backend(isa, 1);
      std::vector<float> out(kRows * operation.cols_out);
      operation.run(*two, rows_of(x, operation.cols_in), 0, rows_of(out, operation.cols_out));
      if (first_level.empty()) first_level = out;
      CHECK(same_bits(out.data(), first_level.data(), static_cast<std::int64_t>(out.size())));
      double worst = 0;
      bool alone_equal = true;
      for (std::int64_t row = 0; row < kRows; ++row) {
        std::vector<float> alone(operation.cols_out);
        operation.run(*one, rows_of(x, operation.cols_in).slice(row, 1), row, rows_of(alone, operation.cols_out));
        const float* batch = out.data() + row * operation.cols_out;
        alone_equal = alone_equal && same_bits(alone.data(), batch, operation.cols_out);
        for (std::int64_t column = 0; column < operation.cols_out; ++column) {
          const double expected = operation.expected(x.data() + row * operation.cols_in, row, column);
          worst = std::max(worst, std::abs(batch[column] - expected) / (1 + std::abs(expected)));
        }
      }
      CHECK(alone_equal);
      CHECK(worst < operation.tolerance);
    }
  }
}

TEST_CASE("strided views leave the columns beside them alone") {
  const std::vector<float> weight = random_values(40, 33);
  for (const Isa isa : available_isas()) {
    auto cpu = backend(isa, 2);
    std::vector<float> x = random_values(5 * 100, 34);
    const std::vector<float> before = x;
    cpu->rms_norm(Rows(x.data() + 10, 5, 40, 100), weight.data(), 1e-6f, Rows(x.data() + 10, 5, 40, 100));
    for (int i = 0; i < 500; ++i) {
      if (i % 100 < 10 || i % 100 >= 50) CHECK(x[i] == before[i]);
    }
    CHECK(x[10] != before[10]);
  }
}

TEST_CASE("embedding expands and gathering copies the asked rows") {
  auto cpu = backend(available_isas().back(), 2);
  std::vector<float> table = random_values(20 * 96, 35);
  const std::vector<std::int32_t> ids = {19, 0, 7, 7};
  std::vector<float> out(4 * 96), gathered(4 * 96);
  cpu->embed(ids, stored(table, 20, 96), rows_of(out, 96));
  cpu->gather_rows(rows_of(table, 96), ids, rows_of(gathered, 96));
  for (int i = 0; i < 4; ++i) {
    CHECK(same_bits(out.data() + 96 * i, table.data() + 96 * ids[i], 96));
    CHECK(same_bits(gathered.data() + 96 * i, table.data() + 96 * ids[i], 96));
  }
}

TEST_CASE("make_backend says what is missing and describes itself") {
  auto cpu = make_backend({3, Isa::plain});
  REQUIRE(cpu.ok());
  CHECK((*cpu)->description() == "cpu (plain, 3 threads)");
  CHECK((*cpu)->host_memory());
  CHECK_FALSE(make_backend({-1, Isa::plain}).ok());
  for (const Isa isa : {Isa::plain, Isa::neon, Isa::neon_dot, Isa::neon_i8mm, Isa::avx2, Isa::avx_vnni, Isa::avx512,
                        Isa::avx512_bf16, Isa::amx}) {
    CHECK(parse_isa(name(isa)) == isa);
  }
  CHECK_FALSE(parse_isa("sse").has_value());
  const bool is_arm = make_backend({1, Isa::neon}).ok();
  auto foreign = make_backend({1, is_arm ? Isa::avx2 : Isa::neon});
  REQUIRE_FALSE(foreign.ok());
  CHECK(foreign.status().message().find(is_arm ? "missing: x86-64" : "missing: aarch64") != std::string::npos);
}

}  // namespace
}  // namespace cinnabar::kernels::cpu
