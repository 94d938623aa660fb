#include "tests/support/random_model.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace cinnabar::tests {
namespace {

using kernels::StoredMatrix;

class Random {
 public:
  explicit Random(std::uint32_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 1) {}
  std::uint64_t bits() { return state_ = state_ * 6364136223846793005u + 1442695040888963407u; }
  // Below 1 on either side of 0.
  float value() { return static_cast<float>(bits() >> 40) / 8388608.0f - 1.0f; }
  std::vector<float> values(std::int64_t count, float scale) {
    std::vector<float> all(static_cast<std::size_t>(count));
    for (float& each : all) each = scale * value();
    return all;
  }

 private:
  std::uint64_t state_;
};

// Q8_0: a scale of f16, 32 values of int8; as large as keeps sums of `inputs` products near their inputs' size.
std::vector<std::byte> random_blocks(std::int64_t values, std::int64_t inputs, Random& random) {
  const std::int64_t block = kernels::row_bytes(kernels::DType::q8_0, 32), count = (values + 31) / 32;
  const std::uint16_t scale = kernels::f32_to_f16(1 / (73 * std::sqrt(static_cast<float>(inputs))));
  std::vector<std::byte> bytes(static_cast<std::size_t>(count * block));
  for (std::byte* at = bytes.data(); at != bytes.data() + count * block; at += block) {
    std::memcpy(at, &scale, sizeof scale);
    for (int i = 0; i < 32; i += 4) {
      const auto four = static_cast<std::uint32_t>(random.bits() >> 32);
      std::memcpy(at + sizeof scale + i, &four, sizeof four);
    }
  }
  return bytes;
}

engine::ModelSpec shape(int layers, int width, int heads, int kv_heads, int head_size, int ffn, int vocabulary) {
  engine::ModelSpec spec;
  spec.family = "random";
  spec.layers = layers;
  spec.width = width;
  spec.heads = heads;
  spec.kv_heads = kv_heads;
  spec.head_size = head_size;
  spec.ffn = ffn;
  spec.vocabulary = vocabulary;
  spec.context = 32768;
  spec.rope_theta = 1e6f;
  spec.qkv_bias = true;
  spec.attention = engine::Attention::block_causal;
  spec.infill = engine::InfillLayout::prefix_only;
  spec.logits_shift = 1;
  spec.mask = 1;
  return spec;
}

}  // namespace

engine::ModelSpec default_shape() { return shape(24, 896, 14, 2, 64, 4864, 40960); }
engine::ModelSpec qwen_7b_shape() { return shape(28, 3584, 28, 4, 128, 18944, 152064); }
engine::ModelSpec tiny_shape() { return shape(2, 64, 2, 1, 32, 96, 256); }

engine::LoadedModel random_model(const engine::ModelSpec& spec, std::uint32_t seed) {
  Random random(seed);
  std::int64_t most = std::int64_t{spec.vocabulary} * spec.width;
  for (const engine::ProductInfo& info : engine::kProductList)
    most = std::max(most, size_of(info.outputs, spec) * size_of(info.inputs, spec));
  engine::LoadedModel model;
  model.spec = spec;
  model.checkpoint.source = "random weights";
  engine::Weights& weights = model.weights;
  weights.owned.push_back(std::make_unique<std::vector<std::byte>>(random_blocks(most, spec.width, random)));
  const auto matrix = [&](std::int64_t rows, std::int64_t cols) {
    return StoredMatrix{kernels::DType::q8_0, weights.owned[0]->data(), rows, cols};
  };
  const std::vector<float> ones(static_cast<std::size_t>(spec.width), 1.0f);
  weights.embedding = weights.head = matrix(spec.vocabulary, spec.width);
  weights.final_norm = ones;
  weights.layers.resize(static_cast<std::size_t>(spec.layers));
  for (engine::LayerWeights& layer : weights.layers) {
    layer.attention_norm = layer.ffn_norm = ones;
    for (const engine::ProductInfo& info : engine::kProductList) {
      const std::int64_t rows = size_of(info.outputs, spec);
      layer.matrices[info.product] = matrix(rows, size_of(info.inputs, spec));
      if (engine::has_bias(spec, info)) layer.biases[info.product] = random.values(rows, 0.1f);
    }
  }
  return model;
}

engine::Adapter random_adapter(const engine::ModelSpec& spec, std::int64_t rank, std::uint32_t seed) {
  Random random(seed);
  engine::Adapter adapter;
  adapter.gated = true;
  adapter.layers.resize(static_cast<std::size_t>(spec.layers));
  for (engine::LayerAdapter& layer : adapter.layers) {
    for (const engine::ProductInfo& info : engine::kProductList) {
      const std::int64_t inputs = size_of(info.inputs, spec), outputs = size_of(info.outputs, spec);
      layer[info.product] = engine::LowRank{random.values(rank * inputs, 1 / std::sqrt(static_cast<float>(inputs))),
                                            random.values(outputs * rank, 0.01f), rank, inputs, outputs};
    }
  }
  return adapter;
}

}  // namespace cinnabar::tests
