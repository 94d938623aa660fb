// The weight matrices of a layer, listed once: their sizes, and which are multiplied together. Tensor names (families.h),
// binding, packing and adapters all go through this list.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/model/model_spec.h"

namespace cinnabar::engine {

enum class Product : std::uint8_t { query, key, value, attention_output, gate, up, down };
inline constexpr std::size_t kProducts = 7;

template <typename T>
struct PerProduct {
  std::array<T, kProducts> values{};
  constexpr T& operator[](Product product) { return values[static_cast<std::size_t>(product)]; }
  constexpr const T& operator[](Product product) const { return values[static_cast<std::size_t>(product)]; }
};

// Products of the same input: one matrix, its rows those of its products in the order of the list.
enum class ProductGroup : std::uint8_t { qkv, attention_output, gate_up, down };
inline constexpr std::size_t kProductGroups = 4;

enum class Bias : std::uint8_t { qkv, attention_output, feed_forward };  // which of ModelSpec's switches says so

enum class Width : std::uint8_t { model, query, key_value, feed_forward };  // D, H*E, K*E, F

constexpr std::int64_t size_of(Width width, const ModelSpec& spec) {
  switch (width) {
    case Width::model:
      return spec.width;
    case Width::query:
      return std::int64_t{spec.heads} * spec.head_size;
    case Width::key_value:
      return std::int64_t{spec.kv_heads} * spec.head_size;
    case Width::feed_forward:
      return spec.ffn;
  }
  return 0;
}

struct ProductInfo {
  Product product;
  ProductGroup group;
  Width outputs, inputs;  // the matrix is [outputs, inputs]
  bool rotated;           // its rows are the rotary embedding's pairs, which some files interleave
  Bias bias;
};
inline constexpr std::array<ProductInfo, kProducts> kProductList = {{
    {Product::query, ProductGroup::qkv, Width::query, Width::model, true, Bias::qkv},
    {Product::key, ProductGroup::qkv, Width::key_value, Width::model, true, Bias::qkv},
    {Product::value, ProductGroup::qkv, Width::key_value, Width::model, false, Bias::qkv},
    {Product::attention_output, ProductGroup::attention_output, Width::model, Width::query, false,
     Bias::attention_output},
    {Product::gate, ProductGroup::gate_up, Width::feed_forward, Width::model, false, Bias::feed_forward},
    {Product::up, ProductGroup::gate_up, Width::feed_forward, Width::model, false, Bias::feed_forward},
    {Product::down, ProductGroup::down, Width::model, Width::feed_forward, false, Bias::feed_forward},
}};

constexpr bool is_of_experts(const ModelSpec& spec, int layer) {
  return spec.experts.count > 0 && layer >= spec.experts.dense_layers;
}
constexpr bool is_feed_forward(Product product) {
  return product == Product::gate || product == Product::up || product == Product::down;
}

// Whether a layer has the product at all; experts have products of their own.
constexpr bool has_product(const ModelSpec& spec, int layer, Product product) {
  if (is_of_experts(spec, layer) && is_feed_forward(product)) return false;
  return product != Product::gate || spec.gated_ffn;
}

constexpr bool has_bias(const ModelSpec& spec, const ProductInfo& info) {
  switch (info.bias) {
    case Bias::qkv:
      return spec.qkv_bias;
    case Bias::attention_output:
      return spec.attention_output_bias;
    case Bias::feed_forward:
      return spec.ffn_bias;
  }
  return false;
}

}  // namespace cinnabar::engine
