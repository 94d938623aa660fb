#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>

#include "tests/unit/kernels/kernel_fixture.h"

namespace cinnabar::kernels::cpu {
namespace {

using namespace testing;

struct Shape {
  int kv_heads, group, size;
  std::int64_t capacity;
  std::vector<std::int32_t> limits;
  std::vector<SlotRange> hidden = {};
};

std::vector<std::int32_t> causal(std::int32_t first, int rows) {
  std::vector<std::int32_t> limits(rows);
  for (int i = 0; i < rows; ++i) limits[i] = first + i + 1;
  return limits;
}

const std::vector<Shape> kShapes = {
    {1, 1, 32, 1, {1}},
    {2, 7, 64, 100, causal(0, 5)},
    {2, 7, 64, 70, causal(30, 40)},
    {1, 2, 128, 64, {64, 64, 64}},
    {3, 1, 96, 45, {45, 1, 32, 33, 31}},
    {1, 4, 256, 40, causal(8, 17)},
    {2, 2, 64, 600, {600, 599, 1, 257}},
    {2, 7, 64, 90, {71, 74, 74, 78, 78, 90}, {{}, {71, 72}, {70, 73}, {1, 77}, {40, 41}, {33, 66}}},
    {1, 2, 32, 600, {600, 540, 600}, {{20, 580}, {255, 513}, {9, 9}}},
};

struct Case {
  Shape shape;
  std::int64_t rows, width;
  std::vector<float> q, k, v;
};

Case make_case(const Shape& s) {
  Case c{
      s, static_cast<std::int64_t>(s.limits.size()), static_cast<std::int64_t>(s.kv_heads) * s.group * s.size, {}, {},
      {}};
  c.q = random_values(c.rows * c.width, 11, 2);
  c.k = random_values(s.capacity * s.kv_heads * s.size, 12, 2);
  c.v = random_values(s.capacity * s.kv_heads * s.size, 13);
  for (std::vector<float>* values : {&c.k, &c.v}) {
    for (float& value : *values) value = bf16_to_f32(f32_to_bf16(value));
  }
  return c;
}

float scale_of(const Shape& s) { return 1.0f / std::sqrt(static_cast<float>(s.size)); }

std::unique_ptr<KvStore> filled(Backend& cpu, Case& c, std::int64_t slots) {
  auto kv = cpu.make_kv({2, c.shape.kv_heads, c.shape.size, c.shape.capacity});
  REQUIRE(kv.ok());
  std::vector<std::int32_t> order(slots);
  for (std::int64_t i = 0; i < slots; ++i) order[i] = static_cast<std::int32_t>(i);
  const std::int64_t width = static_cast<std::int64_t>(c.shape.kv_heads) * c.shape.size;
  cpu.kv_write(**kv, 1, rows_of(c.k, width).slice(0, slots), rows_of(c.v, width).slice(0, slots), order);
  return std::move(kv.value());
}

std::vector<float> attend(Backend& cpu, Case& c, const KvStore& kv, std::int64_t first, std::int64_t count) {
  std::vector<float> out(count * c.width);
  const std::span<const SlotRange> hidden = c.shape.hidden;
  const AttentionSegment segment{&kv, 0, std::span(c.shape.limits).subspan(first, count),
                                 hidden.empty() ? hidden : hidden.subspan(first, count)};
  cpu.attention(rows_of(c.q, c.width).slice(first, count), {&segment, 1}, 1, scale_of(c.shape), rows_of(out, c.width));
  return out;
}

double expected_value(const Case& c, std::int64_t row, int head, int e) {
  const Shape& s = c.shape;
  const std::int64_t kv_width = static_cast<std::int64_t>(s.kv_heads) * s.size;
  const std::int64_t kv_column = head / s.group * s.size;
  std::vector<double> scores(s.limits[row]);
  double largest = -1e300;
  for (std::size_t slot = 0; slot < scores.size(); ++slot) {
    for (int i = 0; i < s.size; ++i) {
      scores[slot] +=
          static_cast<double>(c.q[row * c.width + head * s.size + i]) * c.k[slot * kv_width + kv_column + i];
    }
    scores[slot] *= scale_of(s);
    largest = std::max(largest, scores[slot]);
  }
  double total = 0;
  double sum = 0;
  const SlotRange hidden = s.hidden.empty() ? SlotRange{} : s.hidden[row];
  for (std::size_t slot = 0; slot < scores.size(); ++slot) {
    if (slot >= static_cast<std::size_t>(hidden.first) && slot < static_cast<std::size_t>(hidden.end)) continue;
    const double p = std::exp(scores[slot] - largest);
    total += p;
    sum += p * c.v[slot * kv_width + kv_column + e];
  }
  return sum / total;
}

TEST_CASE("attention is near the one in double for every level and shape") {
  for (const Isa isa : available_isas()) {
    auto cpu = backend(isa, 2);
    for (const Shape& shape : kShapes) {
      Case c = make_case(shape);
      auto kv = filled(*cpu, c, shape.capacity);
      const std::vector<float> out = attend(*cpu, c, *kv, 0, c.rows);
      double worst = 0;
      for (std::int64_t row = 0; row < c.rows; ++row) {
        for (int head = 0; head < shape.kv_heads * shape.group; ++head) {
          for (int e = 0; e < shape.size; e += 7) {
            worst =
                std::max(worst, std::abs(out[row * c.width + head * shape.size + e] - expected_value(c, row, head, e)));
          }
        }
      }
      INFO(name(isa) << " heads " << shape.kv_heads << " group " << shape.group << " size " << shape.size);
      CHECK(worst < (isa >= Isa::avx512_bf16 ? 0.02 : 1e-5));  // these round queries and weights to bf16
    }
  }
}

TEST_CASE("a row's attention does not depend on rows, threads or slots beyond its limit") {
  for (const Isa isa : available_isas()) {
    auto one = backend(isa, 1);
    auto two = backend(isa, 2);
    for (const Shape& shape : kShapes) {
      Case c = make_case(shape);
      auto kv = filled(*two, c, shape.capacity);
      const std::vector<float> all = attend(*two, c, *kv, 0, c.rows);
      for (std::int64_t row = 0; row < c.rows; ++row) {
        INFO(name(isa) << " size " << shape.size << " row " << row);
        auto fresh = filled(*one, c, shape.limits[row]);  // later slots never written
        const std::vector<float> alone = attend(*one, c, *fresh, row, 1);
        CHECK(same_bits(alone.data(), all.data() + row * c.width, c.width));
      }
    }
  }
}

TEST_CASE("plain, AVX2 and AVX-512 attention have the same bits") {
  for (const Shape& shape : kShapes) {
    Case c = make_case(shape);
    auto plain = backend(Isa::plain, 1);
    const std::vector<float> expected = attend(*plain, c, *filled(*plain, c, shape.capacity), 0, c.rows);
    for (const Isa isa : available_isas()) {
      if (isa >= Isa::avx512_bf16) continue;
      INFO(name(isa) << " size " << shape.size);
      auto cpu = backend(isa, 1);
      const std::vector<float> out = attend(*cpu, c, *filled(*cpu, c, shape.capacity), 0, c.rows);
      CHECK(same_bits(out.data(), expected.data(), c.rows * c.width));
    }
  }
}

TEST_CASE("segments of different sequences in one call equal separate calls") {
  for (const Isa isa : available_isas()) {
    auto cpu = backend(isa, 2);
    Case a = make_case({2, 3, 64, 50, causal(20, 9)});
    Case b = make_case({2, 3, 64, 90, {90, 90}});
    auto kv_a = filled(*cpu, a, 50);
    auto kv_b = filled(*cpu, b, 90);
    std::vector<float> q = a.q;
    q.insert(q.end(), b.q.begin(), b.q.end());
    std::vector<float> out(q.size());
    const std::vector<AttentionSegment> segments = {{kv_a.get(), 0, a.shape.limits}, {kv_b.get(), 9, b.shape.limits}};
    cpu->attention(rows_of(q, a.width), segments, 1, scale_of(a.shape), rows_of(out, a.width));
    std::vector<float> expected = attend(*cpu, a, *kv_a, 0, 9);
    const std::vector<float> second = attend(*cpu, b, *kv_b, 0, 2);
    expected.insert(expected.end(), second.begin(), second.end());
    INFO(name(isa));
    CHECK(same_bits(out.data(), expected.data(), static_cast<std::int64_t>(out.size())));
  }
}

TEST_CASE("copied slots give the same attention and leave later slots alone") {
  auto cpu = backend(available_isas().back(), 1);
  Case c = make_case({2, 2, 64, 80, {37, 64, 80}});
  auto kv = filled(*cpu, c, 80);
  for (const std::int64_t count : {37, 64, 80}) {
    auto copy = cpu->make_kv(kv->shape());
    REQUIRE(copy.ok());
    cpu->copy_kv(*kv, **copy, count);
    const std::int64_t row = std::find(c.shape.limits.begin(), c.shape.limits.end(), count) - c.shape.limits.begin();
    INFO(count);
    CHECK(attend(*cpu, c, **copy, row, 1) == attend(*cpu, c, *kv, row, 1));
  }
}

}  // namespace
}  // namespace cinnabar::kernels::cpu
