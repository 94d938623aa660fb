#include "engine/forward/network.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

namespace cinnabar::engine {

using kernels::Buffer;
using kernels::Matrix;
using kernels::Rows;
using kernels::StoredMatrix;
using Linear = kernels::Backend::Linear;
using Write = kernels::Backend::Write;

namespace {

StoredMatrix stored_f32(const std::vector<float>& values, std::int64_t rows, std::int64_t cols) {
  return {kernels::DType::f32, reinterpret_cast<const std::byte*>(values.data()), rows, cols};
}

}  // namespace

// Low-rank additions to one product: x A^T for all of them at once, and each takes its own columns of that, [thin, thin
// + B cols), times B^T to the output's columns from `out` on.
struct Network::LowRankSum {
  struct Part {
    std::unique_ptr<Matrix> b;
    std::int64_t thin, out;
  };
  std::unique_ptr<Matrix> a;  // their As below one another; null without
  std::vector<Part> parts;
  std::int64_t rank() const { return a == nullptr ? 0 : a->rows(); }
};

// Products of one input as one matrix, and what a gated adapter adds to them.
struct Network::Group {
  std::unique_ptr<Matrix> matrix;
  std::unique_ptr<Buffer> bias;  // [its rows], null without
  LowRankSum addition;
};

struct Network::Layer {
  std::array<Group, kProductGroups> groups;
  std::unique_ptr<Buffer> attention_norm, ffn_norm;  // [D]
  std::unique_ptr<Buffer> query_norm, key_norm;      // [E], null without
  const Group& operator[](ProductGroup group) const { return groups[static_cast<std::size_t>(group)]; }
  Group& operator[](ProductGroup group) { return groups[static_cast<std::size_t>(group)]; }
};

// Activations of one forward, allocated for `capacity` rows.
struct Network::Scratch {
  std::int64_t capacity = 0;
  std::unique_ptr<Buffer> x, normed, qkv, attended, gate_up, gated, judged, thin, logits;
};

// One forward under way: its rows flattened over the segments.
struct Network::Batch {
  std::vector<std::int32_t> tokens, slots, positions, limits, judged;
  std::vector<kernels::SlotRange> hidden;
  struct Span {
    kernels::KvStore* kv;
    std::int64_t first, count;  // rows of the segment
    std::int64_t block_first;   // the first block row; first + count when none
    bool hides;                 // a row does not see all slots below its limit
  };
  std::vector<Span> spans;
  std::vector<kernels::AttentionSegment> attention;
  static Batch of(std::span<const ForwardSegment> segments);
  std::int64_t rows() const { return static_cast<std::int64_t>(tokens.size()); }
};

Network::Network(const ModelSpec& spec, kernels::Backend& backend)
    : spec_(spec), backend_(backend), scratch_(std::make_unique<Scratch>()) {}
Network::~Network() = default;

Result<std::unique_ptr<Network>> Network::create(const LoadedModel& model, const Adapter* gated,
                                                 kernels::Backend& backend, kernels::Compute compute) {
  if (Status computable = check_computable(model.spec); !computable) return computable.in(model.checkpoint.source);
  std::unique_ptr<Network> network(new Network(model.spec, backend));
  if (Status packed = network->pack(model, compute); !packed) return packed;
  if (gated != nullptr) {
    if (Status packed = network->pack_adapter(*gated, compute); !packed) return packed;
  }
  return network;
}

namespace {

// Moves a Result's value into `target`; the Status of the rest.
template <typename T>
Status take(Result<T> result, T& target) {
  if (!result) return result.status();
  target = std::move(result).value();
  return {};
}

Status upload(kernels::Backend& backend, const std::vector<float>& values, std::unique_ptr<Buffer>& target) {
  if (values.empty()) return {};
  return take(backend.upload(values), target);
}

}  // namespace

Status Network::pack(const LoadedModel& model, kernels::Compute compute) {
  const Weights& weights = model.weights;
  const auto embedding_size = static_cast<std::size_t>(
      kernels::row_bytes(weights.embedding.dtype, weights.embedding.cols) * weights.embedding.rows);
  embedding_bytes_.assign(weights.embedding.data, weights.embedding.data + embedding_size);
  embedding_ = weights.embedding;
  embedding_.data = embedding_bytes_.data();

  if (Status s = take(backend_.pack({&weights.head, 1}, compute), head_); !s) return s.in("output head");
  if (Status s = upload(backend_, weights.final_norm, final_norm_); !s) return s;
  layers_.resize(static_cast<std::size_t>(spec_.layers));
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    if (Status s = pack_layer(weights.layers[i], compute, layers_[i]); !s) return s.in("layer " + std::to_string(i));
  }
  return {};
}

Status Network::pack_layer(const LayerWeights& from, kernels::Compute compute, Layer& to) {
  std::array<std::vector<StoredMatrix>, kProductGroups> parts;
  std::array<std::vector<float>, kProductGroups> biases;
  for (const ProductInfo& info : kProductList) {
    const auto group = static_cast<std::size_t>(info.group);
    parts[group].push_back(from.matrices[info.product]);
    const std::vector<float>& bias = from.biases[info.product];
    biases[group].insert(biases[group].end(), bias.begin(), bias.end());
  }
  for (std::size_t group = 0; group < kProductGroups; ++group) {
    if (Status s = take(backend_.pack(parts[group], compute), to.groups[group].matrix); !s) return s;
    if (Status s = upload(backend_, biases[group], to.groups[group].bias); !s) return s;
  }
  for (const Status& s :
       {upload(backend_, from.attention_norm, to.attention_norm), upload(backend_, from.ffn_norm, to.ffn_norm),
        upload(backend_, from.query_norm, to.query_norm), upload(backend_, from.key_norm, to.key_norm)}) {
    if (!s) return s;
  }
  return {};
}

Status Network::pack_adapter(const Adapter& adapter, kernels::Compute compute) {
  if (adapter.layers.size() != layers_.size()) {
    return Status::error("adapter has " + std::to_string(adapter.layers.size()) + " layers, the model " +
                         std::to_string(layers_.size()));
  }
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    for (std::size_t group = 0; group < kProductGroups; ++group) {
      Status s = pack_addition(adapter.layers[i], static_cast<ProductGroup>(group), compute, layers_[i].groups[group]);
      if (!s) return s.in("adapter layer " + std::to_string(i));
    }
  }
  has_adapter_ = true;
  return {};
}

Status Network::pack_addition(const LayerAdapter& from, ProductGroup group, kernels::Compute compute, Group& to) {
  // A reads what the large product reads, in its arithmetic, so that both share the rounding. B's inner dimension is
  // the rank, often half a group of int8, and its products serve drafts alone: half of f32's bytes are worth the last
  // bits.
  const kernels::Compute of_b = compute == kernels::Compute::f32 ? compute : kernels::Compute::bf16;
  std::vector<StoredMatrix> as;
  std::int64_t thin = 0, out = 0;  // columns of the As' outputs and of the product's that the next part begins at
  for (const ProductInfo& info : kProductList) {
    if (info.group != group) continue;
    const std::int64_t first = std::exchange(out, out + size_of(info.outputs, spec_));
    const std::optional<LowRank>& low_rank = from[info.product];
    if (!low_rank) continue;
    as.push_back(stored_f32(low_rank->a, low_rank->rank, low_rank->inputs));
    const StoredMatrix b = stored_f32(low_rank->b, low_rank->outputs, low_rank->rank);
    LowRankSum::Part& part = to.addition.parts.emplace_back();
    part.thin = std::exchange(thin, thin + low_rank->rank);
    part.out = first;
    if (Status s = take(backend_.pack({&b, 1}, of_b), part.b); !s) return s;
  }
  return as.empty() ? Status() : take(backend_.pack(as, compute), to.addition.a);
}

std::int64_t Network::streamed_bytes() const {
  std::int64_t bytes = head_->bytes();
  for (const Layer& layer : layers_) {
    for (const Group& group : layer.groups) bytes += group.matrix->bytes();
  }
  return bytes;
}

Status Network::reserve(std::int64_t rows) {
  Scratch& s = *scratch_;
  if (rows <= s.capacity) return {};
  if (rows > max_rows()) {
    return Status::error("a forward of " + std::to_string(rows) + " rows, at most " + std::to_string(max_rows()) +
                         " are possible");
  }
  const std::int64_t capacity = std::min(max_rows(), std::max<std::int64_t>(64, 2 * rows));
  const std::int64_t attention_width = std::int64_t{spec_.heads} * spec_.head_size;
  const std::int64_t qkv_width = attention_width + 2 * std::int64_t{spec_.kv_heads} * spec_.head_size;
  std::int64_t rank = 1;
  for (const Layer& layer : layers_) {
    for (const Group& group : layer.groups) rank = std::max(rank, group.addition.rank());
  }
  const std::pair<std::unique_ptr<Buffer>*, std::int64_t> buffers[] = {
      {&s.x, spec_.width},         {&s.normed, spec_.width}, {&s.qkv, qkv_width},      {&s.attended, attention_width},
      {&s.gate_up, 2 * spec_.ffn}, {&s.gated, spec_.ffn},    {&s.judged, spec_.width}, {&s.thin, rank}};
  s.capacity = 0;
  for (const auto& [buffer, width] : buffers) {
    if (Status status = take(backend_.allocate(capacity * width), *buffer); !status) return status.in("activations");
  }
  s.capacity = capacity;
  return {};
}

namespace {

std::int64_t count_rows(std::span<const ForwardSegment> segments) {
  std::int64_t rows = 0;
  for (const ForwardSegment& segment : segments) rows += static_cast<std::int64_t>(segment.rows.size());
  return rows;
}

}  // namespace

void Network::run_layers(Batch& batch) {
  const Rows x(scratch_->x->data(), batch.rows(), spec_.width);
  backend_.embed(batch.tokens, embedding_, x);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    project(layers_[i], static_cast<int>(i), batch);
    if (batch.judged.empty() && i + 1 == layers_.size()) return;  // a prompt: keys and values are all that is wanted
    attend(layers_[i], static_cast<int>(i), batch);
    feed_forward(layers_[i], batch);
  }
}

// out (+)= x W^T + bias, and for block rows what the adapter adds. Its A stands beside the large product, for all rows:
// it is small, and alone it would neither keep a device busy nor share the rounding of x.
void Network::multiply(const Group& group, Rows x, Rows out, Write write, const Batch& batch) {
  const Linear product{x, group.matrix.get(), group.bias ? group.bias->data() : nullptr, out, write};
  const LowRankSum& sum = group.addition;
  if (sum.a == nullptr) return backend_.linear({&product, 1});
  const Rows thin(scratch_->thin->data(), batch.rows(), sum.rank());
  std::vector<Linear> additions;
  for (const Batch::Span& span : batch.spans) {
    const std::int64_t count = span.first + span.count - span.block_first;
    if (count == 0) continue;
    const Rows from = thin.slice(span.block_first, count), to = product.out.slice(span.block_first, count);
    for (const LowRankSum::Part& part : sum.parts) {
      additions.push_back({from.columns(part.thin, part.b->cols()), part.b.get(), nullptr,
                           to.columns(part.out, part.b->rows()), Write::add});
    }
  }
  if (additions.empty()) return backend_.linear({&product, 1});
  const Linear both[] = {product, {product.x, sum.a.get(), nullptr, thin}};
  backend_.linear(both);
  backend_.linear(additions);
}

// The rows' queries, to be read from the scratch, and their keys and values, written to their sequences' caches.
void Network::project(const Layer& layer, int index, Batch& batch) {
  Scratch& s = *scratch_;
  const std::int64_t rows = batch.rows();
  const std::int64_t query_columns = std::int64_t{spec_.heads} * spec_.head_size;
  const std::int64_t key_columns = std::int64_t{spec_.kv_heads} * spec_.head_size;
  const Rows x(s.x->data(), rows, spec_.width), normed(s.normed->data(), rows, spec_.width);
  const Rows qkv(s.qkv->data(), rows, query_columns + 2 * key_columns);

  backend_.rms_norm(x, layer.attention_norm->data(), spec_.norm_epsilon, normed);
  multiply(layer[ProductGroup::qkv], normed, qkv, Write::set, batch);
  const Rows query = qkv.columns(0, query_columns), key = qkv.columns(query_columns, key_columns);
  const Rows value = qkv.columns(query_columns + key_columns, key_columns);
  if (spec_.qk_norm) {
    backend_.head_norm(query, layer.query_norm->data(), spec_.norm_epsilon, spec_.head_size);
    backend_.head_norm(key, layer.key_norm->data(), spec_.norm_epsilon, spec_.head_size);
  }
  const kernels::RopeSpec rope{spec_.rope_theta, spec_.head_size, spec_.rotary, spec_.rope_divisors,
                               spec_.rope_magnitude};
  backend_.rope(query, batch.positions, rope);
  backend_.rope(key, batch.positions, rope);
  for (const Batch::Span& span : batch.spans) {
    backend_.kv_write(
        *span.kv, index, key.slice(span.first, span.count), value.slice(span.first, span.count),
        std::span(batch.slots).subspan(static_cast<std::size_t>(span.first), static_cast<std::size_t>(span.count)));
  }
}

void Network::attend(const Layer& layer, int index, Batch& batch) {
  Scratch& s = *scratch_;
  const std::int64_t rows = batch.rows();
  const std::int64_t query_columns = std::int64_t{spec_.heads} * spec_.head_size;
  const std::int64_t key_columns = std::int64_t{spec_.kv_heads} * spec_.head_size;
  const Rows x(s.x->data(), rows, spec_.width), attended(s.attended->data(), rows, query_columns);
  const Rows query = Rows(s.qkv->data(), rows, query_columns + 2 * key_columns).columns(0, query_columns);
  backend_.attention(query, batch.attention, index, 1.0f / std::sqrt(static_cast<float>(spec_.head_size)), attended);
  multiply(layer[ProductGroup::attention_output], attended, x, Write::add, batch);
}

void Network::feed_forward(const Layer& layer, Batch& batch) {
  Scratch& s = *scratch_;
  const std::int64_t rows = batch.rows();
  const Rows x(s.x->data(), rows, spec_.width), normed(s.normed->data(), rows, spec_.width);
  const Rows gate_up(s.gate_up->data(), rows, 2 * spec_.ffn), gated_rows(s.gated->data(), rows, spec_.ffn);

  backend_.rms_norm(x, layer.ffn_norm->data(), spec_.norm_epsilon, normed);
  multiply(layer[ProductGroup::gate_up], normed, gate_up, Write::set, batch);
  backend_.gated_silu(gate_up, gated_rows);
  multiply(layer[ProductGroup::down], gated_rows, x, Write::add, batch);
}

Rows Network::judged_rows(Batch& batch) {
  const Rows x(scratch_->x->data(), batch.rows(), spec_.width);
  const Rows judged(scratch_->judged->data(), static_cast<std::int64_t>(batch.judged.size()), spec_.width);
  backend_.gather_rows(x, batch.judged, judged);
  backend_.rms_norm(judged, final_norm_->data(), spec_.norm_epsilon, judged);
  return judged;
}

Network::Batch Network::Batch::of(std::span<const ForwardSegment> segments) {
  Batch batch;
  for (const ForwardSegment& segment : segments) {
    const auto first = static_cast<std::int64_t>(batch.tokens.size());
    const auto count = static_cast<std::int64_t>(segment.rows.size());
    std::int64_t block_first = first + count;
    bool hides = false;
    for (const ForwardRow& row : segment.rows) {
      const auto index = static_cast<std::int32_t>(batch.tokens.size());
      if (row.in_block) block_first = std::min<std::int64_t>(block_first, index);
      if (row.judged) batch.judged.push_back(index);
      batch.tokens.push_back(row.token);
      batch.slots.push_back(row.slot);
      batch.positions.push_back(row.position < 0 ? row.slot : row.position);
      batch.limits.push_back(row.limit);
      batch.hidden.push_back(row.hidden);
      hides |= row.hidden.first < row.hidden.end;
    }
    batch.spans.push_back({segment.kv, first, count, block_first, hides});
  }
  for (const auto& span : batch.spans) {  // after the last push: spans into the vectors must stay valid
    const auto at = static_cast<std::size_t>(span.first), count = static_cast<std::size_t>(span.count);
    batch.attention.push_back(
        {span.kv, span.first, std::span(batch.limits).subspan(at, count),
         span.hides ? std::span(batch.hidden).subspan(at, count) : std::span<kernels::SlotRange>()});
  }
  return batch;
}

Status Network::forward(std::span<const ForwardSegment> segments, std::span<const kernels::ScoreRequest> requests,
                        std::span<kernels::Score> out) {
  if (Status reserved = reserve(count_rows(segments)); !reserved) return reserved;
  Batch batch = Batch::of(segments);
  run_layers(batch);
  assert(batch.judged.size() == requests.size() && requests.size() == out.size());
  if (!batch.judged.empty()) backend_.score_rows(judged_rows(batch), *head_, requests, out);
  return backend_.failure();
}

Status Network::forward_logits(std::span<const ForwardSegment> segments, std::vector<float>& logits) {
  if (Status reserved = reserve(count_rows(segments)); !reserved) return reserved;
  Batch batch = Batch::of(segments);
  run_layers(batch);
  const auto rows = static_cast<std::int64_t>(batch.judged.size());
  logits.resize(static_cast<std::size_t>(rows * spec_.vocabulary));
  if (rows == 0) return {};
  if (Status s = take(backend_.allocate(rows * spec_.vocabulary), scratch_->logits); !s) return s.in("logits");
  backend_.linear(judged_rows(batch), *head_, nullptr, Rows(scratch_->logits->data(), rows, spec_.vocabulary));
  backend_.download(scratch_->logits->data(), logits);
  return backend_.failure();
}

}  // namespace cinnabar::engine
