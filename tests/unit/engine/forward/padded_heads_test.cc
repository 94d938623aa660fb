// Heads of a size that no operation takes, padded with zeros; tests/golden has whole models of it.
#include "engine/forward/padded_heads.h"

#include <catch2/catch.hpp>

using namespace cinnabar::engine;
using cinnabar::kernels::StoredMatrix;

namespace {

StoredMatrix stored(const std::vector<float>& values, std::int64_t rows, std::int64_t cols) {
  return {cinnabar::kernels::DType::f32, reinterpret_cast<const std::byte*>(values.data()), rows, cols};
}

float at(const StoredMatrix& matrix, std::int64_t row, std::int64_t col) {
  return reinterpret_cast<const float*>(matrix.data)[row * matrix.cols + col];
}

}  // namespace

TEST_CASE("heads become a multiple of 32 values, of which as many are turned as before") {
  struct Case {
    int size, rotary, padded, turned;
  };
  for (const Case& c : {Case{20, 0, 32, 20}, {80, 0, 96, 80}, {100, 50, 128, 50}, {64, 0, 64, 0}, {2, 2, 32, 2}}) {
    ModelSpec spec;
    spec.head_size = c.size;
    spec.rotary = c.rotary;
    CHECK(with_padded_heads(spec).head_size == c.padded);
    CHECK(with_padded_heads(spec).rotary == c.turned);
    CHECK(PaddedHeads(spec).pads() == (c.size != c.padded));
    CHECK(PaddedHeads(spec).attention_scale() == Approx(1 / std::sqrt(static_cast<double>(c.size))));
  }
}

TEST_CASE("padding puts zeros behind each head's rows, columns, biases and norms") {
  ModelSpec spec;
  spec.heads = spec.kv_heads = 2;
  spec.head_size = 8;
  spec.width = 3;
  std::vector<float> values(16 * 3), bias(16);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i + 1);
  for (std::size_t i = 0; i < bias.size(); ++i) bias[i] = static_cast<float>(i + 1);
  LayerWeights layer;
  for (const Product product : {Product::query, Product::key, Product::value}) {
    layer.matrices[product] = stored(values, 16, 3);
    layer.biases[product] = bias;
  }
  layer.matrices[Product::attention_output] = stored(values, 3, 16);
  layer.query_norm = layer.key_norm = std::vector<float>(8, 2.0f);
  std::vector<std::vector<std::byte>> memory;
  const LayerWeights padded = PaddedHeads(spec).padded(layer, memory);
  for (const Product product : {Product::query, Product::key, Product::value}) {
    const StoredMatrix& matrix = padded.matrices[product];
    REQUIRE(matrix.rows == 64);
    for (std::int64_t row = 0; row < 64; ++row) {
      const bool real = row % 32 < 8;
      CHECK(at(matrix, row, 2) == (real ? at(layer.matrices[product], row / 32 * 8 + row % 32, 2) : 0.0f));
      const float expected = real ? bias[static_cast<std::size_t>(row / 32 * 8 + row % 32)] : 0.0f;
      CHECK(padded.biases[product][static_cast<std::size_t>(row)] == expected);
    }
  }
  const StoredMatrix& output = padded.matrices[Product::attention_output];
  REQUIRE(output.cols == 64);
  CHECK(at(output, 1, 33) == at(layer.matrices[Product::attention_output], 1, 9));
  CHECK(at(output, 1, 8) == 0.0f);
  REQUIRE(padded.query_norm.size() == 32);
  CHECK(padded.query_norm[7] == Approx(1.0));  // 2 sqrt(8 / 32)
  CHECK(padded.key_norm[8] == 0.0f);
}
