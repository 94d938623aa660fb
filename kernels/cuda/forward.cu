// A forward of few rows: its composite operations in few launches, recorded when the same form comes again. More rows go
// through the plain forms, which their products bind.
#include <cassert>

#include "kernels/cuda/backend_impl.h"
#include "kernels/cuda/fused.h"
#include "kernels/cuda/kv.h"
#include "kernels/cuda/mma.h"
#include "kernels/cuda/row_math.h"
#include "kernels/score_parts.h"

namespace cinnabar::kernels::cuda {
namespace {

constexpr unsigned kThreads = 128;
constexpr std::size_t kMostGraphs = 64;

__global__ void take_embedded(DeviceRows rows, Rows out) {
  const std::int64_t row = blockIdx.x, column = std::int64_t{blockIdx.y} * kThreads + threadIdx.x;
  if (row < rows.counts[0] && column < out.cols)
    out.data[row * out.stride + column] = rows.embedded[row * out.cols + column];
}

// One head of one row a block: its norm and rotation, and keys and values to their slots.
__global__ void finish_head(HeadPlaces h, DeviceRows rows, const float* query_norm, const float* key_norm, float eps,
                            Rows qkv) {
  const std::int64_t row = blockIdx.x, head = blockIdx.y;
  if (row >= rows.counts[0]) return;
  float* x = qkv.data + row * qkv.stride + head * h.size;
  const bool is_query = head < h.queries, is_turned = head < h.queries + h.keys;
  const float* norm = is_query ? query_norm : is_turned ? key_norm : nullptr;
  const float inverse = norm == nullptr ? 1.0f : inverse_norm(x, h.size, eps);
  const auto value = [&](int i) { return norm == nullptr ? x[i] : x[i] * inverse * norm[i]; };
  std::uint16_t* kept = is_query ? nullptr : slot_of(rows, row, h, head - h.queries);
  const auto put = [&](int i, float to) {
    if (is_query)
      x[i] = to;
    else
      kept[i] = f32_to_bf16(to);
  };
  __syncwarp();  // all have read what the norm reads
  const int half = is_turned ? h.turned / 2 : 0;
  const std::int64_t angle = std::int64_t{rows.positions[row]} * (h.turned / 2);
  for (int i = static_cast<int>(threadIdx.x); i < half; i += 32) {
    const Turned pair = turned(value(i), value(i + half), h.cosines[angle + i], h.sines[angle + i]);
    put(i, pair.first);
    put(i + half, pair.second);
  }
  for (int i = 2 * half + static_cast<int>(threadIdx.x); i < h.size; i += 32) put(i, value(i));
}

Weights weights_of(const Matrix* matrix) {
  if (matrix == nullptr) return {};
  const auto& packed = static_cast<const DeviceMatrix&>(*matrix);
  const bool int4 = packed.compute() == Compute::int4;
  return {packed.data.as<const LaneOfA>(), int4 ? nullptr : packed.scales.as<const float>(), packed.groups(),
          int4 ? packed.scales.as<const Int4Halves>() : nullptr, packed.offsets.as<const Int4Halves>()};
}

FusedProduct fused(const Rows& x, const Normed* norm, const GatedProduct& product, const Rows& out, Finish finish,
                   const DeviceRows& rows, bool additions) {
  FusedProduct f{{x.data, x.stride, x.cols, nullptr, rows.counts, norm == nullptr ? nullptr : norm->weight,
                  norm == nullptr ? 0 : norm->eps},
                 weights_of(product.matrix),
                 product.bias,
                 product.matrix->compute(),
                 finish,
                 product.matrix->rows(),
                 out,
                 {},
                 0,
                 {},
                 {}};
  if (!additions || product.addition.a == nullptr) return f;
  f.a = weights_of(product.addition.a);
  for (const LowRank::Part& part : product.addition.parts)
    f.part[f.parts++] = {weights_of(part.b), static_cast<int>(part.thin), static_cast<int>(part.b->cols()), part.out,
                         part.out + part.b->rows()};
  return f;
}

std::int32_t largest_of(std::span<const std::int32_t> values) {
  return values.empty() ? 0 : *std::max_element(values.begin(), values.end());
}

}  // namespace

bool CudaBackend::begin(const Batch& batch) {
  Forward& now = context_.forward;
  now.form = form_of(batch);
  const RowPlaces places = lay_out(batch, now.form, now.scratch, now.image);
  if (!context_.grow(now.memory, now.image.size())) return false;
  context_.device->to_device(now.memory.as<void>(), now.image.data(), now.image.size());
  now.rows = places.at(now.memory.as<const std::byte>());
  now.scored = 0;
  return true;
}

// The graph for batches of this form, when everything that it reads is where it was; null before it was recorded.
Graph* CudaBackend::graph_for(const void* owner, const Batch& batch) {
  std::vector<Graph>& graphs = context_.forward.graphs;
  const std::int64_t releases = context_.device->releases();
  std::erase_if(graphs, [&](const Graph& graph) { return graph.releases != releases; });
  std::int64_t positions = largest_of(batch.positions) + std::int64_t{1};
  for (const DeviceRopeTable& table : context_.rope_tables) {
    if (table.positions < positions) return nullptr;  // it grows first
  }
  const auto found = std::find_if(graphs.begin(), graphs.end(), [&](const Graph& graph) {
    return graph.owner == owner && graph.form == context_.forward.form;
  });
  return found == graphs.end() ? nullptr : &*found;
}

// Runs them, and notes when they did nothing but start kernels: then the next of this form records them.
void CudaBackend::run_plainly(const void* owner, const std::function<void()>& operations) {
  Forward& now = context_.forward;
  const Traffic before = context_.device->traffic();
  operations();
  const Traffic after = context_.device->traffic();
  if (owner == nullptr || after.copies != before.copies || after.allocations != before.allocations) return;
  if (now.graphs.size() >= kMostGraphs) now.graphs.clear();
  now.graphs.push_back({owner, now.form, context_.device->releases(), now.scored, {}});
}

void CudaBackend::forward(const void* owner, const Batch& batch, const std::function<void()>& operations) {
  if (batch.rows() == 0 || batch.rows() > kFusedRows) return operations();
  if (!begin(batch)) return;
  Forward& now = context_.forward;
  now.batch = &batch;
  Graph* graph = owner == nullptr ? nullptr : graph_for(owner, batch);
  if (graph == nullptr) {
    run_plainly(owner, operations);
  } else if (!graph->recording) {
    context_.device->record();
    operations();
    graph->recording = context_.device->recorded();
    if (!graph->recording) run_plainly(nullptr, operations);
  }
  if (graph != nullptr && graph->recording) {
    context_.device->replay(graph->recording);
    now.scored = graph->scored;
  }
  if (now.scored > 0) context_.collect_scores(now.scored, batch.requests, batch.scores);
  now.batch = nullptr;
}

void CudaBackend::embed_batch(const Batch& batch, Rows out) {
  if (!is_under_way(batch)) return Backend::embed_batch(batch, out);
  context_.device->launch({blocks(context_.forward.form.rows, 1), blocks(out.cols, kThreads)}, kThreads, take_embedded,
                          context_.forward.rows, out);
}

void CudaBackend::project(const Normed& x, const GatedProduct& qkv, const Heads& heads, const Batch& batch,
                          const Workspace& work, Rows out) {
  if (!is_under_way(batch) || x.bias != nullptr || heads.rope.turned() == 0 || !can_fuse(x.x, qkv))
    return Backend::project(x, qkv, heads, batch, work, out);
  const Forward& now = context_.forward;
  const DeviceRopeTable* table = rope_table(context_, heads.rope, std::int64_t{largest_of(batch.positions)} + 1);
  if (table == nullptr) return;
  const HeadPlaces places{heads.rope.head_size,
                          heads.rope.turned(),
                          heads.queries,
                          heads.keys,
                          heads.layer,
                          table->cosines.as<const float>(),
                          table->sines.as<const float>()};
  const bool in_one = heads.query_norm == nullptr && heads.key_norm == nullptr && places.turned % 32 == 0;
  FusedProduct f = fused(x.x, &x, qkv, out, in_one ? Finish::heads : Finish::set, now.rows, now.form.additions);
  f.heads = places;
  launch_fused(context_, f, now.rows, now.form.rows);
  if (in_one) return;
  const auto all = static_cast<unsigned>(heads.queries + 2 * heads.keys);
  context_.device->launch({blocks(now.form.rows, 1), all}, 32, finish_head, places, now.rows, heads.query_norm,
                          heads.key_norm, heads.eps, out);
}

void CudaBackend::attend(Rows q, const Batch& batch, int layer, float scale, Rows out) {
  if (!is_under_way(batch)) return Backend::attend(q, batch, layer, scale, out);
  const KvShape& shape = batch.sequences[0].kv->shape();
  attend_rows(context_, shape, q, context_.forward.rows, context_.forward.form.rows, context_.forward.form.pieces,
              layer, scale, out);
}

void CudaBackend::add_product(Rows x, const GatedProduct& product, const Batch& batch, const Workspace& work,
                              Rows out) {
  if (!is_under_way(batch) || !can_fuse(x, product)) return Backend::add_product(x, product, batch, work, out);
  const Forward& now = context_.forward;
  launch_fused(context_, fused(x, nullptr, product, out, Finish::add, now.rows, now.form.additions), now.rows,
               now.form.rows);
}

void CudaBackend::activated_product(const Normed& x, const GatedProduct& product, Activation activation,
                                    const Batch& batch, const Workspace& work, Rows out) {
  const bool fuses = activation == Activation::gated_silu && x.bias == nullptr && out.cols % kTileRows == 0;
  if (!is_under_way(batch) || !fuses || !can_fuse(x.x, product))
    return Backend::activated_product(x, product, activation, batch, work, out);
  const Forward& now = context_.forward;
  launch_fused(context_, fused(x.x, &x, product, out, Finish::gate, now.rows, now.form.additions), now.rows,
               now.form.rows);
}

void CudaBackend::judge(const Normed& x, const GatedProduct& head, const Batch& batch, const Workspace& work) {
  if (!is_under_way(batch) || x.bias != nullptr || !can_fuse(x.x, head)) return Backend::judge(x, head, batch, work);
  Forward& now = context_.forward;
  const std::int64_t judged = now.form.judged;
  if (!context_.make_room_for_scores(judged, head.matrix->rows())) return;
  const Rows logits(context_.logits.as<float>(), judged, head.matrix->rows());
  FusedProduct f = fused(x.x, &x, head, logits, Finish::set, now.rows, false);
  f.x.rows = now.rows.judged;
  f.x.count = now.rows.counts + 1;
  launch_fused(context_, f, now.rows, judged);
  now.scored = summarize_rows(context_, logits, now.rows.requests, now.rows.masks, now.rows.counts + 1);
}

}  // namespace cinnabar::kernels::cuda
