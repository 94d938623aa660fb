// What every operation of the CPU backend works with: the threads, the loops of the chosen level, and scratch memory
// that grows to the largest call. Used by one thread at a time.
#pragma once

#include <array>
#include <vector>

#include "kernels/backend.h"
#include "kernels/cpu/backend.h"
#include "kernels/cpu/cpu_features.h"
#include "kernels/cpu/lane_ops.h"
#include "kernels/cpu/parallel.h"
#include "kernels/rope_table.h"

namespace cinnabar::kernels::cpu {

struct Context : Forms {
  Context(Isa level, int threads);

  Product product(Compute compute) const { return products[static_cast<std::size_t>(compute)]; }

  Isa isa;
  Pool pool;

  // Rounded activations of the products under way (lane_ops.h, ProductTask).
  std::vector<std::int8_t> x8;
  std::vector<float> x_scales;
  std::vector<std::uint16_t> x16;
  std::vector<std::vector<float>> worker_scratch;  // one a worker
  std::vector<std::vector<float>> worker_weights;  // of narrow weights a pair of strips as products take it
  std::vector<RopeTable> rope_tables;
};

// At least `values` floats for this worker, 64-byte aligned; contents undefined.
float* scratch(Context& context, int worker, std::int64_t values);
// The same of `bytes`, which scratch() leaves alone.
unsigned char* weight_scratch(Context& context, int worker, std::int64_t bytes);

}  // namespace cinnabar::kernels::cpu
