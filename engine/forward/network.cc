#include "engine/forward/network.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "engine/model/mapping.h"

namespace cinnabar::engine {

using kernels::Buffer;
using kernels::Matrix;
using kernels::Rows;
using kernels::StoredMatrix;

namespace {

StoredMatrix stored_f32(const std::vector<float>& values, std::int64_t rows, std::int64_t cols) {
  return {kernels::DType::f32, reinterpret_cast<const std::byte*>(values.data()), rows, cols};
}

}  // namespace

// Products of one input as one matrix, and what a gated adapter adds to them.
struct Network::Group {
  std::unique_ptr<Matrix> matrix;
  std::unique_ptr<Buffer> bias;  // [its rows], null without
  std::unique_ptr<Matrix> a;     // the additions' As below one another, null without
  std::vector<std::unique_ptr<Matrix>> bs;
  std::vector<kernels::LowRank::Part> parts;
  std::int64_t rank() const { return a == nullptr ? 0 : a->rows(); }
  kernels::GatedProduct product() const { return {matrix.get(), bias ? bias->data() : nullptr, {a.get(), parts}}; }
};

struct Network::Layer {
  std::array<Group, kProductGroups> groups;
  std::unique_ptr<Buffer> attention_norm, ffn_norm;            // [D]
  std::unique_ptr<Buffer> attention_norm_bias, ffn_norm_bias;  // [D], null without
  std::unique_ptr<ExpertLayer> experts;                        // in place of gate, up and down; null without
  std::unique_ptr<Buffer> query_norm, key_norm;                // [E], null without
  const Group& operator[](ProductGroup group) const { return groups[static_cast<std::size_t>(group)]; }
  Group& operator[](ProductGroup group) { return groups[static_cast<std::size_t>(group)]; }
};

// Activations of one forward, allocated for `capacity` rows.
struct Network::Scratch {
  std::int64_t capacity = 0;
  std::unique_ptr<Buffer> x, normed, qkv, attended, gate_up, gated, thin, logits;
  ExpertLayer::Scratch experts;
  kernels::Workspace work() const { return {normed->data(), gate_up->data(), thin->data()}; }
};

// One forward under way: its rows flattened over the segments, and the view of them that operations take.
struct Network::Batch {
  Batch(std::span<const ForwardSegment> segments, const Network& network);
  Batch(const Batch&) = delete;  // `rows` looks into the vectors
  Batch& operator=(const Batch&) = delete;

  std::vector<std::int32_t> tokens, slots, positions, limits, judged;
  std::vector<kernels::SlotRange> hidden;
  std::vector<kernels::AttentionSegment> sequences;
  std::vector<kernels::KvStore*> stores;
  std::vector<kernels::RowRange> block_rows;
  kernels::Batch rows;
};

Network::Network(const ModelSpec& spec, kernels::Backend& backend)
    : spec_(with_padded_heads(spec)), heads_(spec), backend_(backend), scratch_(std::make_unique<Scratch>()) {}
Network::~Network() = default;

Result<std::unique_ptr<Network>> Network::create(const LoadedModel& model, const Adapter* gated,
                                                 kernels::Backend& backend, kernels::Compute compute) {
  std::unique_ptr<Network> network(new Network(model.spec, backend));
  if (Status packed = network->pack(model, compute); !packed) return packed;
  if (gated != nullptr) {
    if (Status packed = network->pack_adapter(*gated, compute); !packed) return packed;
  }
  return network;
}

namespace {

// What has been packed need not stay in memory: a model is loaded in little more than what it comes to.
void let_go(const Checkpoint& checkpoint, const StoredMatrix& packed) {
  const std::span bytes(packed.data,
                        static_cast<std::size_t>(kernels::row_bytes(packed.dtype, packed.cols) * packed.rows));
  for (const auto& mapping : checkpoint.mappings) mapping->release(bytes);
}

// A copy of the table's rows, in `memory`.
void keep(StoredMatrix& table, std::vector<std::byte>& memory) {
  const auto size = static_cast<std::size_t>(kernels::row_bytes(table.dtype, table.cols) * table.rows);
  memory.assign(table.data, table.data + size);
  table.data = memory.data();
}

Status upload(kernels::Backend& backend, const std::vector<float>& values, std::unique_ptr<Buffer>& target) {
  if (values.empty()) return {};
  return take(backend.upload(values), target);
}

}  // namespace

Status Network::pack(const LoadedModel& model, kernels::Compute compute) {
  const Weights& weights = model.weights;
  embedding_ = weights.embedding;
  keep(embedding_, embedding_bytes_);
  positions_ = weights.positions;
  if (positions_.data != nullptr) keep(positions_, position_bytes_);

  // Few bytes of a large model are the head's, and its rounding goes into the logits themselves.
  const kernels::Compute of_head = compute == kernels::Compute::int4 ? kernels::Compute::int8 : compute;
  if (Status s = take(backend_.pack({&weights.head, 1}, of_head), head_); !s) return s.in("output head");
  for (const StoredMatrix& matrix : {weights.embedding, weights.head}) let_go(model.checkpoint, matrix);
  for (const Status& s :
       {upload(backend_, weights.final_norm, final_norm_), upload(backend_, weights.final_norm_bias, final_norm_bias_),
        upload(backend_, weights.head_bias, head_bias_)}) {
    if (!s) return s;
  }
  layers_.resize(static_cast<std::size_t>(spec_.layers));
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    if (Status s = pack_layer(weights.layers[i], compute, layers_[i]); !s) return s.in("layer " + std::to_string(i));
    for (const StoredMatrix& matrix : weights.layers[i].matrices.values) let_go(model.checkpoint, matrix);
    for (const ExpertWeights& expert : weights.layers[i].experts)
      for (const StoredMatrix& matrix : {expert.gate, expert.up, expert.down}) let_go(model.checkpoint, matrix);
  }
  return {};
}

Status Network::pack_layer(const LayerWeights& stored, kernels::Compute compute, Layer& to) {
  std::vector<std::vector<std::byte>> padding;
  const LayerWeights from = heads_.padded(stored, padding);
  std::array<std::vector<StoredMatrix>, kProductGroups> parts;
  std::array<std::vector<float>, kProductGroups> biases;
  for (const ProductInfo& info : kProductList) {
    if (from.matrices[info.product].data == nullptr) continue;
    const auto group = static_cast<std::size_t>(info.group);
    parts[group].push_back(from.matrices[info.product]);
    const std::vector<float>& bias = from.biases[info.product];
    biases[group].insert(biases[group].end(), bias.begin(), bias.end());
  }
  if (!from.experts.empty())
    if (Status s = take(ExpertLayer::pack(spec_, from, backend_, compute), to.experts); !s) return s;
  for (std::size_t group = 0; group < kProductGroups; ++group) {
    if (parts[group].empty()) continue;
    if (Status s = take(backend_.pack(parts[group], compute), to.groups[group].matrix); !s) return s;
    if (Status s = upload(backend_, biases[group], to.groups[group].bias); !s) return s;
  }
  for (const Status& s :
       {upload(backend_, from.attention_norm, to.attention_norm), upload(backend_, from.ffn_norm, to.ffn_norm),
        upload(backend_, from.attention_norm_bias, to.attention_norm_bias),
        upload(backend_, from.ffn_norm_bias, to.ffn_norm_bias), upload(backend_, from.query_norm, to.query_norm),
        upload(backend_, from.key_norm, to.key_norm)}) {
    if (!s) return s;
  }
  return {};
}

Status Network::pack_adapter(const Adapter& adapter, kernels::Compute compute) {
  if (heads_.pads())
    return Status::error("gated adapters for heads that are no multiple of 32 values are not supported");
  if (adapter.layers.size() != layers_.size()) {
    return Status::error("adapter has " + std::to_string(adapter.layers.size()) + " layers, the model " +
                         std::to_string(layers_.size()));
  }
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    for (std::size_t group = 0; group < kProductGroups; ++group) {
      if (!layers_[i].groups[group].matrix) continue;
      Status s = pack_addition(adapter.layers[i], static_cast<ProductGroup>(group), compute, layers_[i].groups[group]);
      if (!s) return s.in("adapter layer " + std::to_string(i));
    }
  }
  has_adapter_ = true;
  return {};
}

Status Network::pack_addition(const LayerAdapter& from, ProductGroup group, kernels::Compute compute, Group& to) {
  // A reads what the large product reads, in its arithmetic (int4's is bf16), so that both share the rounding. B's inner dimension is
  // the rank, often half a group of int8, and its products serve drafts alone: half of f32's bytes are worth the last
  // bits.
  const kernels::Compute of_b = compute == kernels::Compute::f32 ? compute : kernels::Compute::bf16;
  std::vector<StoredMatrix> as;
  std::int64_t thin = 0, out = 0;  // columns of the As' outputs and of the product's that the next part begins at
  for (const ProductInfo& info : kProductList) {
    if (info.group != group || (info.product == Product::gate && !spec_.gated_ffn)) continue;
    const std::int64_t first = std::exchange(out, out + size_of(info.outputs, spec_));
    const std::optional<LowRank>& low_rank = from[info.product];
    if (!low_rank) continue;
    as.push_back(stored_f32(low_rank->a, low_rank->rank, low_rank->inputs));
    const StoredMatrix b = stored_f32(low_rank->b, low_rank->outputs, low_rank->rank);
    if (Status s = take(backend_.pack({&b, 1}, of_b), to.bs.emplace_back()); !s) return s;
    to.parts.push_back({to.bs.back().get(), std::exchange(thin, thin + low_rank->rank), first});
  }
  const kernels::Compute of_a = compute == kernels::Compute::int4 ? kernels::Compute::bf16 : compute;
  return as.empty() ? Status() : take(backend_.pack(as, of_a), to.a);
}

bool Network::is_narrow() const {
  const auto narrow = [](const Matrix& matrix) { return matrix.bytes() < matrix.rows() * matrix.cols(); };
  for (const Layer& layer : layers_) {
    for (const Group& group : layer.groups)
      if (group.matrix && narrow(*group.matrix)) return true;
  }
  return narrow(*head_);
}

std::int64_t Network::streamed_bytes() const {
  std::int64_t bytes = head_->bytes();
  for (const Layer& layer : layers_) {
    for (const Group& group : layer.groups) bytes += group.matrix ? group.matrix->bytes() : 0;
    if (layer.experts) bytes += layer.experts->streamed_bytes();
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
    for (const Group& group : layer.groups) rank = std::max(rank, group.rank());
  }
  const std::pair<std::unique_ptr<Buffer>*, std::int64_t> buffers[] = {
      {&s.x, spec_.width},         {&s.normed, spec_.width}, {&s.qkv, qkv_width}, {&s.attended, attention_width},
      {&s.gate_up, 2 * spec_.ffn}, {&s.gated, spec_.ffn},    {&s.thin, rank}};
  s.capacity = 0;
  for (const auto& [buffer, width] : buffers) {
    if (Status status = take(backend_.allocate(capacity * width), *buffer); !status) return status.in("activations");
  }
  if (spec_.experts.count > 0 && !s.experts.logits)
    if (Status status = take(ExpertLayer::Scratch::make(spec_, backend_), s.experts); !status) return status;
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

void Network::run_layers(const Batch& batch) {
  const Rows x(scratch_->x->data(), batch.rows.rows(), spec_.width);
  backend_.embed_batch(batch.rows, x);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    project(layers_[i], static_cast<int>(i), batch.rows);
    if (batch.judged.empty() && i + 1 == layers_.size()) return;  // a prompt: keys and values are all that is wanted
    attend(layers_[i], static_cast<int>(i), batch.rows);
    feed_forward(layers_[i], batch.rows);
  }
}

// The columns [q | k | v] of the rows.
Rows Network::qkv(std::int64_t rows) const {
  return {scratch_->qkv->data(), rows, (spec_.heads + std::int64_t{2} * spec_.kv_heads) * spec_.head_size};
}

// The rows' queries, to be read from qkv(), and their keys and values, written to their sequences' caches.
void Network::project(const Layer& layer, int index, const kernels::Batch& batch) {
  const kernels::Heads heads{index,
                             spec_.heads,
                             spec_.kv_heads,
                             spec_.qk_norm ? layer.query_norm->data() : nullptr,
                             spec_.qk_norm ? layer.key_norm->data() : nullptr,
                             heads_.norm_epsilon(),
                             {spec_.rope_theta, spec_.head_size, spec_.learned_positions ? -1 : spec_.rotary,
                              spec_.rope_divisors, spec_.rope_magnitude}};
  backend_.project(normed(*layer.attention_norm, layer.attention_norm_bias, batch.rows()),
                   layer[ProductGroup::qkv].product(), heads, batch, scratch_->work(), qkv(batch.rows()));
}

void Network::attend(const Layer& layer, int index, const kernels::Batch& batch) {
  const std::int64_t columns = std::int64_t{spec_.heads} * spec_.head_size;
  const Rows attended(scratch_->attended->data(), batch.rows(), columns);
  backend_.attend(qkv(batch.rows()).columns(0, columns), batch, index, heads_.attention_scale(), attended);
  backend_.add_product(attended, layer[ProductGroup::attention_output].product(), batch, scratch_->work(),
                       {scratch_->x->data(), batch.rows(), spec_.width});
}

void Network::feed_forward(const Layer& layer, const kernels::Batch& batch) {
  if (layer.experts) {
    const Rows x(scratch_->x->data(), batch.rows(), spec_.width), normed(scratch_->normed->data(), x.rows, x.cols);
    backend_.rms_norm(x, layer.ffn_norm->data(), spec_.norm_epsilon, normed);
    return layer.experts->add(normed, x, scratch_->experts);
  }
  const Rows gated(scratch_->gated->data(), batch.rows(), spec_.ffn);
  const auto activation = spec_.gated_ffn ? kernels::Activation::gated_silu : kernels::Activation::gelu;
  backend_.activated_product(normed(*layer.ffn_norm, layer.ffn_norm_bias, batch.rows()),
                             layer[ProductGroup::gate_up].product(), activation, batch, scratch_->work(), gated);
  backend_.add_product(gated, layer[ProductGroup::down].product(), batch, scratch_->work(),
                       {scratch_->x->data(), batch.rows(), spec_.width});
}

// The residual stream of `rows` rows, with a norm's weights.
kernels::Normed Network::normed(Buffer& weight, const std::unique_ptr<Buffer>& bias, std::int64_t rows) const {
  return {Rows(scratch_->x->data(), rows, spec_.width), weight.data(), spec_.norm_epsilon,
          bias ? bias->data() : nullptr};
}

Network::Batch::Batch(std::span<const ForwardSegment> segments, const Network& network) {
  std::vector<bool> hides;  // of each segment: a row does not see all slots below its limit
  for (const ForwardSegment& segment : segments) {
    hides.push_back(false);
    const auto first = static_cast<std::int64_t>(tokens.size());
    for (const ForwardRow& row : segment.rows) {
      const auto index = static_cast<std::int32_t>(tokens.size());
      if (row.in_block && (block_rows.empty() || block_rows.back().first < first)) block_rows.push_back({index, 0});
      if (row.judged) judged.push_back(index);
      tokens.push_back(row.token);
      slots.push_back(row.slot);
      positions.push_back(row.position < 0 ? row.slot : row.position);
      limits.push_back(row.limit);
      hidden.push_back(row.hidden);
      if (row.hidden.first < row.hidden.end) hides.back() = true;
    }
    const auto end = static_cast<std::int64_t>(tokens.size());
    if (!block_rows.empty() && block_rows.back().first >= first)
      block_rows.back().count = end - block_rows.back().first;
    sequences.push_back({segment.kv, first, {}});
    stores.push_back(segment.kv);
  }
  for (std::size_t i = 0; i < sequences.size(); ++i) {  // after the last push: spans into the vectors must stay valid
    const auto at = static_cast<std::size_t>(sequences[i].first_row), count = segments[i].rows.size();
    sequences[i].limits = std::span(limits).subspan(at, count);
    if (hides[i]) sequences[i].hidden = std::span(hidden).subspan(at, count);
  }
  rows = {tokens,
          &network.embedding_,
          network.spec_.vocabulary,
          slots,
          positions,
          sequences,
          stores,
          block_rows,
          judged,
          {},
          {},
          network.positions_.data != nullptr ? &network.positions_ : nullptr};
}

Status Network::check_positions(const Batch& batch) const {
  if (!spec_.learned_positions || batch.positions.empty()) return {};
  const std::int32_t last = *std::max_element(batch.positions.begin(), batch.positions.end());
  if (last < spec_.context) return {};
  return Status::error("position " + std::to_string(last) + " of a model that has learned " +
                       std::to_string(spec_.context) + " of them");
}

Status Network::forward(std::span<const ForwardSegment> segments, std::span<const kernels::ScoreRequest> requests,
                        std::span<kernels::Score> out) {
  if (Status reserved = reserve(count_rows(segments)); !reserved) return reserved;
  Batch batch(segments, *this);
  if (Status known = check_positions(batch); !known) return known;
  assert(batch.judged.size() == requests.size() && requests.size() == out.size());
  batch.rows.requests = requests;
  batch.rows.scores = out;
  const kernels::GatedProduct head{head_.get(), head_bias_ ? head_bias_->data() : nullptr, {}};
  backend_.forward(this, batch.rows, [&] {
    run_layers(batch);
    if (requests.empty()) return;
    backend_.judge(normed(*final_norm_, final_norm_bias_, batch.rows.rows()), head, batch.rows, scratch_->work());
  });
  return backend_.failure();
}

Status Network::forward_logits(std::span<const ForwardSegment> segments, std::vector<float>& logits) {
  if (Status reserved = reserve(count_rows(segments)); !reserved) return reserved;
  const Batch batch(segments, *this);
  if (Status known = check_positions(batch); !known) return known;
  backend_.forward(nullptr, batch.rows, [&] { run_layers(batch); });
  const auto rows = static_cast<std::int64_t>(batch.judged.size());
  logits.resize(static_cast<std::size_t>(rows * spec_.vocabulary));
  if (rows == 0) return {};
  if (Status s = take(backend_.allocate(rows * spec_.vocabulary), scratch_->logits); !s) return s.in("logits");
  const Rows judged(scratch_->normed->data(), rows, spec_.width);
  backend_.gather_rows({scratch_->x->data(), batch.rows.rows(), spec_.width}, batch.judged, judged);
  if (final_norm_bias_)
    backend_.layer_norm(judged, final_norm_->data(), final_norm_bias_->data(), spec_.norm_epsilon, judged);
  else
    backend_.rms_norm(judged, final_norm_->data(), spec_.norm_epsilon, judged);
  backend_.linear(judged, *head_, head_bias_ ? head_bias_->data() : nullptr,
                  Rows(scratch_->logits->data(), rows, spec_.vocabulary));
  backend_.download(scratch_->logits->data(), logits);
  return backend_.failure();
}

}  // namespace cinnabar::engine
