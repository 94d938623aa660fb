// What every operation of the CPU backend works with: the threads, the loops of the chosen level, and scratch memory
// that grows to the largest call. Used by one thread at a time.
#pragma once

#include <array>
#include <vector>

#include "kernels/backend.h"
#include "kernels/cpu/backend.h"
#include "kernels/cpu/lane_ops.h"
#include "kernels/cpu/parallel.h"
#include "kernels/rope_table.h"

namespace cinnabar::kernels::cpu {

struct Context {
  Context(Isa level, int threads);

  Product product(Compute compute) const { return products[static_cast<std::size_t>(compute)]; }

  Isa isa;
  Pool pool;
  const LaneOps& ops;
  std::array<Product, 3> products;
  void (*attention)(const AttentionTask&);

  // Rounded activations of the products under way (lane_ops.h, ProductTask).
  std::vector<std::int8_t> x8;
  std::vector<float> x_scales;
  std::vector<std::uint16_t> x16;
  std::vector<std::vector<float>> worker_scratch;  // one a worker
  std::vector<RopeTable> rope_tables;
};

// At least `values` floats for this worker, 64-byte aligned; contents undefined.
float* scratch(Context& context, int worker, std::int64_t values);

// Each of the following is one operation of kernels/backend.h with the same contract.
Result<std::unique_ptr<Matrix>> pack(Context& context, std::span<const StoredMatrix> parts, Compute compute);
void linear(Context& context, std::span<const Backend::Linear> products);
void rms_norm(Context& context, Rows x, const float* weight, float eps, Rows out);
void head_norm(Context& context, Rows x, const float* weight, float eps, int head_size);
void rope(Context& context, Rows x, std::span<const std::int32_t> positions, const RopeSpec& spec);
void gated_silu(Context& context, Rows x, Rows out);
void embed(Context& context, std::span<const std::int32_t> ids, const StoredMatrix& table, Rows out);
void gather_rows(Context& context, Rows x, std::span<const std::int32_t> rows, Rows out);
Result<std::unique_ptr<KvStore>> make_kv(const KvShape& shape);
void copy_kv(const KvStore& from, KvStore& to, std::int64_t count);
void kv_write(Context& context, KvStore& kv, int layer, Rows k, Rows v, std::span<const std::int32_t> slots);
void attention(Context& context, Rows q, std::span<const AttentionSegment> segments, int layer, float scale, Rows out);
void score_rows(Context& context, Rows x, const Matrix& head, std::span<const ScoreRequest> requests,
                std::span<Score> out);

}  // namespace cinnabar::kernels::cpu
