// Models of any shape with random weights, made in memory: for counting and timing what a forward of that shape takes.
#pragma once

#include <cstdint>

#include "engine/model/weights.h"

namespace cinnabar::tests {

// The default model, as models/default/README.md describes it.
engine::ModelSpec default_shape();
// Qwen2.5-7B, which Dream-Coder, DreamOn, Fast-dLLM v2 and others have.
engine::ModelSpec qwen_7b_shape();
// Of every size as little as the operations take.
engine::ModelSpec tiny_shape();

// All matrices are Q8_0 and begin at the same random values, so that they need memory of the largest one alone; products
// keep the size of what they read. Owns that memory.
engine::LoadedModel random_model(const engine::ModelSpec& spec, std::uint32_t seed);
// A gated adapter of `rank` on every product.
engine::Adapter random_adapter(const engine::ModelSpec& spec, std::int64_t rank, std::uint32_t seed);

}  // namespace cinnabar::tests
