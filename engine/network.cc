#include "engine/network.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace cinnabar::engine {

using kernels::Buffer;
using kernels::Matrix;
using kernels::Rows;
using kernels::StoredMatrix;
using Write = kernels::Backend::Write;

struct Network::Layer {
  std::unique_ptr<Matrix> qkv;                       // [(H + 2K) E, D]
  std::unique_ptr<Matrix> output;                    // [D, H E]
  std::unique_ptr<Matrix> gate_up;                   // [2F, D]
  std::unique_ptr<Matrix> down;                      // [D, F]
  std::unique_ptr<Buffer> attention_norm, ffn_norm;  // [D]
  std::unique_ptr<Buffer> qkv_bias;                  // [(H + 2K) E], null without
  std::unique_ptr<Buffer> query_norm, key_norm;      // [E], null without
};

namespace {

// A thin product pair: columns [first, first + B rows) of an output get (x A^T) B^T.
struct ThinPair {
  std::unique_ptr<Matrix> a, b;
  std::int64_t first_column = 0;
};

StoredMatrix stored_f32(const std::vector<float>& values, std::int64_t rows, std::int64_t cols) {
  return {kernels::DType::f32, reinterpret_cast<const std::byte*>(values.data()), rows, cols};
}

}  // namespace

// The adapter's products by the forward's four linear layers; a vector holds those present.
struct Network::GatedLayer {
  std::vector<ThinPair> qkv, output, gate_up, down;
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
  std::int64_t rows() const { return static_cast<std::int64_t>(tokens.size()); }
};

Network::Network(const ModelSpec& spec, kernels::Backend& backend)
    : spec_(spec), backend_(backend), scratch_(std::make_unique<Scratch>()) {}
Network::~Network() = default;

Result<std::unique_ptr<Network>> Network::create(const LoadedModel& model, const Adapter* gated,
                                                 kernels::Backend& backend, kernels::Compute compute) {
  std::unique_ptr<Network> network(new Network(model.spec, backend));
  if (Status packed = network->pack(model, compute); !packed) return packed;
  if (gated != nullptr) {
    // Its products serve drafts alone: half the bytes are worth more than the last bits.
    const auto thin = compute == kernels::Compute::f32 ? kernels::Compute::f32 : kernels::Compute::bf16;
    if (Status packed = network->pack_adapter(*gated, thin); !packed) return packed;
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

  const auto pack_into = [&](std::initializer_list<StoredMatrix> parts, std::unique_ptr<Matrix>& target) {
    return take(backend_.pack(std::span(parts.begin(), parts.size()), compute), target);
  };
  if (Status s = pack_into({weights.head}, head_); !s) return s.in("output head");
  if (Status s = upload(backend_, weights.final_norm, final_norm_); !s) return s;
  layers_.resize(static_cast<std::size_t>(spec_.layers));
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const LayerWeights& from = weights.layers[i];
    Layer& to = layers_[i];
    std::vector<float> bias = from.query_bias;
    bias.insert(bias.end(), from.key_bias.begin(), from.key_bias.end());
    bias.insert(bias.end(), from.value_bias.begin(), from.value_bias.end());
    for (const Status& s :
         {pack_into({from.query, from.key, from.value}, to.qkv), pack_into({from.attention_output}, to.output),
          pack_into({from.gate, from.up}, to.gate_up), pack_into({from.down}, to.down),
          upload(backend_, from.attention_norm, to.attention_norm), upload(backend_, from.ffn_norm, to.ffn_norm),
          upload(backend_, bias, to.qkv_bias), upload(backend_, from.query_norm, to.query_norm),
          upload(backend_, from.key_norm, to.key_norm)}) {
      if (!s) return s.in("layer " + std::to_string(i));
    }
  }
  return {};
}

Status Network::pack_adapter(const Adapter& adapter, kernels::Compute compute) {
  if (adapter.layers.size() != layers_.size()) {
    return Status::error("adapter has " + std::to_string(adapter.layers.size()) + " layers, the model " +
                         std::to_string(layers_.size()));
  }
  const auto add = [&](const std::optional<LowRank>& low_rank, std::int64_t first_column,
                       std::vector<ThinPair>& target) {
    if (!low_rank) return Status();
    ThinPair pair;
    pair.first_column = first_column;
    const StoredMatrix a = stored_f32(low_rank->a, low_rank->rank, low_rank->inputs);
    const StoredMatrix b = stored_f32(low_rank->b, low_rank->outputs, low_rank->rank);
    if (Status s = take(backend_.pack({&a, 1}, compute), pair.a); !s) return s;
    if (Status s = take(backend_.pack({&b, 1}, compute), pair.b); !s) return s;
    target.push_back(std::move(pair));
    return Status();
  };
  const std::int64_t query_columns = std::int64_t{spec_.heads} * spec_.head_size;
  const std::int64_t key_columns = std::int64_t{spec_.kv_heads} * spec_.head_size;
  adapters_.resize(layers_.size());
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const LayerAdapter& from = adapter.layers[i];
    GatedLayer& to = adapters_[i];
    for (const Status& s :
         {add(from.query, 0, to.qkv), add(from.key, query_columns, to.qkv),
          add(from.value, query_columns + key_columns, to.qkv), add(from.attention_output, 0, to.output),
          add(from.gate, 0, to.gate_up), add(from.up, spec_.ffn, to.gate_up), add(from.down, 0, to.down)}) {
      if (!s) return s.in("adapter layer " + std::to_string(i));
    }
  }
  return {};
}

std::int64_t Network::streamed_bytes() const {
  std::int64_t bytes = head_->bytes();
  for (const Layer& layer : layers_) {
    bytes += layer.qkv->bytes() + layer.output->bytes() + layer.gate_up->bytes() + layer.down->bytes();
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
  for (const GatedLayer& layer : adapters_) {
    for (const auto* pairs : {&layer.qkv, &layer.output, &layer.gate_up, &layer.down}) {
      for (const ThinPair& pair : *pairs) rank = std::max(rank, pair.a->rows());
    }
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
    feed_forward(layers_[i], static_cast<int>(i), batch);
  }
}

namespace {

// Adds the adapter's products to the block rows of every sequence: out[:, columns] += (x A^T) B^T.
template <typename Spans>
void add_thin(kernels::Backend& backend, const std::vector<ThinPair>& pairs, const Spans& spans, Rows x, float* thin,
              Rows out) {
  for (const ThinPair& pair : pairs) {
    for (const auto& span : spans) {
      const std::int64_t count = span.first + span.count - span.block_first;
      if (count == 0) continue;
      const Rows reduced(thin, count, pair.a->rows());
      backend.linear(x.slice(span.block_first, count), *pair.a, nullptr, reduced);
      backend.linear(reduced, *pair.b, nullptr,
                     out.slice(span.block_first, count).columns(pair.first_column, pair.b->rows()), Write::add);
    }
  }
}

}  // namespace

// The rows' queries, to be read from the scratch, and their keys and values, written to their sequences' caches.
void Network::project(const Layer& layer, int index, Batch& batch) {
  Scratch& s = *scratch_;
  const std::int64_t rows = batch.rows();
  const std::int64_t query_columns = std::int64_t{spec_.heads} * spec_.head_size;
  const std::int64_t key_columns = std::int64_t{spec_.kv_heads} * spec_.head_size;
  const Rows x(s.x->data(), rows, spec_.width), normed(s.normed->data(), rows, spec_.width);
  const Rows qkv(s.qkv->data(), rows, query_columns + 2 * key_columns);

  backend_.rms_norm(x, layer.attention_norm->data(), spec_.norm_epsilon, normed);
  backend_.linear(normed, *layer.qkv, layer.qkv_bias ? layer.qkv_bias->data() : nullptr, qkv);
  if (!adapters_.empty()) {
    add_thin(backend_, adapters_[static_cast<std::size_t>(index)].qkv, batch.spans, normed, s.thin->data(), qkv);
  }
  const Rows query = qkv.columns(0, query_columns), key = qkv.columns(query_columns, key_columns);
  const Rows value = qkv.columns(query_columns + key_columns, key_columns);
  if (spec_.qk_norm) {
    backend_.head_norm(query, layer.query_norm->data(), spec_.norm_epsilon, spec_.head_size);
    backend_.head_norm(key, layer.key_norm->data(), spec_.norm_epsilon, spec_.head_size);
  }
  const kernels::RopeSpec rope{spec_.rope_theta, spec_.head_size};
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
  backend_.linear(attended, *layer.output, nullptr, x, Write::add);
  if (!adapters_.empty()) {
    add_thin(backend_, adapters_[static_cast<std::size_t>(index)].output, batch.spans, attended, s.thin->data(), x);
  }
}

void Network::feed_forward(const Layer& layer, int index, Batch& batch) {
  Scratch& s = *scratch_;
  const std::int64_t rows = batch.rows();
  const Rows x(s.x->data(), rows, spec_.width), normed(s.normed->data(), rows, spec_.width);
  const Rows gate_up(s.gate_up->data(), rows, 2 * spec_.ffn), gated_rows(s.gated->data(), rows, spec_.ffn);
  const GatedLayer* gated = adapters_.empty() ? nullptr : &adapters_[static_cast<std::size_t>(index)];

  backend_.rms_norm(x, layer.ffn_norm->data(), spec_.norm_epsilon, normed);
  backend_.linear(normed, *layer.gate_up, nullptr, gate_up);
  if (gated != nullptr) add_thin(backend_, gated->gate_up, batch.spans, normed, s.thin->data(), gate_up);
  backend_.gated_silu(gate_up, gated_rows);
  backend_.linear(gated_rows, *layer.down, nullptr, x, Write::add);
  if (gated != nullptr) add_thin(backend_, gated->down, batch.spans, gated_rows, s.thin->data(), x);
}

Rows Network::judged_rows(Batch& batch) {
  const Rows x(scratch_->x->data(), batch.rows(), spec_.width);
  const Rows judged(scratch_->judged->data(), static_cast<std::int64_t>(batch.judged.size()), spec_.width);
  backend_.gather_rows(x, batch.judged, judged);
  backend_.rms_norm(judged, final_norm_->data(), spec_.norm_epsilon, judged);
  return judged;
}

namespace {

template <typename Batch>
Batch flatten(std::span<const ForwardSegment> segments) {
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

}  // namespace

Status Network::forward(std::span<const ForwardSegment> segments, std::span<const kernels::ScoreRequest> requests,
                        std::span<kernels::Score> out) {
  if (Status reserved = reserve(count_rows(segments)); !reserved) return reserved;
  Batch batch = flatten<Batch>(segments);
  run_layers(batch);
  assert(batch.judged.size() == requests.size() && requests.size() == out.size());
  if (!batch.judged.empty()) backend_.score_rows(judged_rows(batch), *head_, requests, out);
  return backend_.failure();
}

Status Network::forward_logits(std::span<const ForwardSegment> segments, std::vector<float>& logits) {
  if (Status reserved = reserve(count_rows(segments)); !reserved) return reserved;
  Batch batch = flatten<Batch>(segments);
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
