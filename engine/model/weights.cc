#include "engine/model/weights.h"

#include <cstring>
#include <set>
#include <utility>

#include "engine/model/families.h"
#include "engine/model/fold_conditioning.h"
#include "engine/model/row_order.h"

namespace cinnabar::engine {
namespace {

using kernels::StoredMatrix;

// Looks tensors up by their place in the model and remembers the first thing that was wrong, so that the binding below
// reads as the plain list it is.
class Binder {
 public:
  Binder(const Checkpoint& checkpoint, const ModelSpec& spec, const TensorNames& names, std::string prefix)
      : checkpoint_(checkpoint), spec_(spec), names_(names), prefix_(std::move(prefix)) {}

  const Status& status() const { return status_; }

  std::string layer_name(int layer, std::string_view part) const {
    return prefix_ + std::string(names_.layer) + std::to_string(layer) + "." + std::string(part);
  }
  std::string global_name(std::string_view part) const { return prefix_ + std::string(part); }
  // The head stands outside of the prefix in some folders ("lm_head.weight") and inside of it in others.
  std::string head_name() const {
    const std::string inside = global_name(names_.head);
    return checkpoint_.find(inside + ".weight") ? inside : std::string(names_.head);
  }

  // The tensor of just that name.
  StoredMatrix table(const std::string& name, std::int64_t rows, std::int64_t cols) {
    const Tensor* tensor = take(name, {rows, cols});
    if (!tensor) return {kernels::DType::f32, nullptr, 0, 0};
    return {tensor->dtype, tensor->data, rows, cols};
  }
  StoredMatrix matrix(const std::string& name, std::int64_t rows, std::int64_t cols) {
    return table(name + ".weight", rows, cols);
  }
  // `count` matrices behind one another; the view is of the first.
  StoredMatrix stack(const std::string& name, std::int64_t count, std::int64_t rows, std::int64_t cols) {
    const Tensor* tensor = take(name + ".weight", {count, rows, cols});
    if (!tensor) return {kernels::DType::f32, nullptr, 0, 0};
    return {tensor->dtype, tensor->data, rows, cols};
  }
  // A layer's matrix, [rows, cols] however the file has it.
  StoredMatrix layer_matrix(const std::string& name, std::int64_t rows, std::int64_t cols, Weights& out) {
    if (!transposes()) return matrix(name, rows, cols);
    const StoredMatrix stored = matrix(name, cols, rows);
    return stored.data ? transposed(stored, out) : stored;
  }
  std::vector<float> vector(const std::string& name, std::int64_t size) { return values(name, {size}); }
  std::vector<float> values(const std::string& name, const std::vector<std::int64_t>& shape) {
    const Tensor* tensor = take(name, shape);
    if (!tensor) return {};
    std::int64_t size = 1;
    for (const std::int64_t extent : shape) size *= extent;
    std::vector<float> expanded(static_cast<std::size_t>(size));
    kernels::dequantize(tensor->dtype, tensor->data, expanded.data(), size);
    return expanded;
  }
  // A LayerNorm's bias; zeros where the file has none.
  std::vector<float> norm_bias(const std::string& name) {
    if (!spec_.layer_norm) return {};
    if (!checkpoint_.find(name + ".bias")) return std::vector<float>(static_cast<std::size_t>(spec_.width));
    return vector(name + ".bias", spec_.width);
  }
  // A product's matrix with query and key rows in rotate-half order, and the same of its bias.
  StoredMatrix in_order(const ProductInfo& info, const StoredMatrix& stored, Weights& out) {
    if (!stored.data || !info.rotated || !spec_.rope_interleaved) return stored;
    const std::int64_t row = kernels::row_bytes(stored.dtype, stored.cols);
    const std::span<const std::byte> rows(stored.data, static_cast<std::size_t>(row * stored.rows));
    out.owned.push_back(std::make_unique<std::vector<std::byte>>(rotate_half_rows(rows, row, spec_.head_size)));
    return {stored.dtype, out.owned.back()->data(), stored.rows, stored.cols};
  }
  std::vector<float> in_order(const ProductInfo& info, std::vector<float> stored) {
    if (stored.empty() || !info.rotated || !spec_.rope_interleaved) return stored;
    const auto bytes = rotate_half_rows(std::as_bytes(std::span(stored)), sizeof(float), spec_.head_size);
    std::memcpy(stored.data(), bytes.data(), bytes.size());
    return stored;
  }
  bool has(const std::string& name) const { return checkpoint_.find(name + ".weight") != nullptr; }

  void ignore(const std::string& name) { used_.insert(name); }
  // A tensor that nobody asked for would make the model's output silently wrong.
  Status check_all_used() const {
    for (const auto& [name, tensor] : checkpoint_.tensors)
      if (!used_.contains(name) && !is_ignored(name))
        return Status::error("tensor " + shown_name(name) + " " + shape_text(tensor.shape) +
                             ": not expected in a model of the family " + spec_.family);
    return {};
  }

 private:
  bool is_ignored(std::string_view name) const {
    const auto ends = [&](std::string_view end) { return !end.empty() && name.ends_with(end); };
    return ends("rotary_emb.inv_freq") || name == "rope_freqs.weight" || ends(names_.ignored[0]) ||
           ends(names_.ignored[1]);
  }
  bool transposes() const { return names_.transposed; }
  static StoredMatrix transposed(const StoredMatrix& stored, Weights& out) {
    const auto count = static_cast<std::size_t>(stored.rows * stored.cols);
    std::vector<float> values(count);
    kernels::dequantize(stored.dtype, stored.data, values.data(), stored.rows * stored.cols);
    auto memory = std::make_unique<std::vector<std::byte>>(count * sizeof(float));
    auto* to = reinterpret_cast<float*>(memory->data());
    for (std::int64_t row = 0; row < stored.rows; ++row)
      for (std::int64_t col = 0; col < stored.cols; ++col)
        to[col * stored.rows + row] = values[static_cast<std::size_t>(row * stored.cols + col)];
    out.owned.push_back(std::move(memory));
    return {kernels::DType::f32, out.owned.back()->data(), stored.cols, stored.rows};
  }
  const Tensor* take(const std::string& name, const std::vector<std::int64_t>& shape) {
    if (!status_) return nullptr;
    const Tensor* tensor = checkpoint_.find(name);
    if (!tensor) {
      status_ = Status::error("tensor " + shown_name(name) + ": expected shape " + shape_text(shape) + ", found none");
      return nullptr;
    }
    if (tensor->shape != shape) {
      status_ = Status::error("tensor " + shown_name(name) + ": expected shape " + shape_text(shape) + ", found " +
                              shape_text(tensor->shape));
      return nullptr;
    }
    used_.insert(name);
    return tensor;
  }

  const Checkpoint& checkpoint_;
  const ModelSpec& spec_;
  const TensorNames& names_;
  std::string prefix_;
  std::set<std::string, std::less<>> used_;
  Status status_;
};

bool is_of_qkv(const ProductInfo& info) { return info.group == ProductGroup::qkv; }

// Query, key and value as rows of one matrix.
void bind_fused(Binder& bind, const ModelSpec& spec, const std::string& name, Weights& out, LayerWeights& w) {
  std::int64_t rows = 0;
  for (const ProductInfo& info : kProductList)
    if (is_of_qkv(info)) rows += size_of(info.outputs, spec);
  const StoredMatrix whole = bind.layer_matrix(name, rows, spec.width, out);
  const std::vector<float> biases = spec.qkv_bias ? bind.vector(name + ".bias", rows) : std::vector<float>();
  if (!bind.status()) return;
  std::int64_t first = 0;
  for (const ProductInfo& info : kProductList) {
    if (!is_of_qkv(info)) continue;
    const std::int64_t count = size_of(info.outputs, spec);
    const std::byte* from = whole.data + first * kernels::row_bytes(whole.dtype, whole.cols);
    w.matrices[info.product] = bind.in_order(info, {whole.dtype, from, count, whole.cols}, out);
    if (spec.qkv_bias)
      w.biases[info.product] = bind.in_order(info, {biases.begin() + first, biases.begin() + first + count});
    first += count;
  }
}

// Gate, up and down, whose names are PREFIX + part.
ExpertWeights bind_parts(Binder& bind, const ModelSpec& spec, const std::string& prefix,
                         const std::array<std::string_view, 3>& parts, int width) {
  const auto part = [&](std::size_t index) { return prefix + std::string(parts[index]); };
  return {bind.matrix(part(0), width, spec.width), bind.matrix(part(1), width, spec.width),
          bind.matrix(part(2), spec.width, width)};
}

// Every expert's matrix from one tensor [X, rows, cols].
void bind_stacked(Binder& bind, const std::string& name, std::int64_t rows, std::int64_t cols,
                  StoredMatrix ExpertWeights::*part, std::vector<ExpertWeights>& experts) {
  const StoredMatrix all = bind.stack(name, std::ssize(experts), rows, cols);
  if (!all.data) return;
  const std::int64_t bytes = rows * kernels::row_bytes(all.dtype, cols);
  for (std::size_t i = 0; i < experts.size(); ++i)
    experts[i].*part = {all.dtype, all.data + static_cast<std::int64_t>(i) * bytes, rows, cols};
}

void bind_experts(Binder& bind, const ModelSpec& spec, const TensorNames& names, int layer, LayerWeights& w) {
  const Experts& e = spec.experts;
  const ExpertNames& known = names.experts;
  const auto name = [&](std::string_view part) { return bind.layer_name(layer, part); };
  w.router = bind.matrix(name(known.router), e.count, spec.width);
  if (e.choice_bias) w.choice_bias = bind.vector(name(known.choice_bias), e.count);
  if (e.shared_ffn > 0) w.shared = bind_parts(bind, spec, name(known.shared_prefix), known.shared_parts, e.shared_ffn);
  if (known.prefix.empty()) {
    w.experts.resize(static_cast<std::size_t>(e.count));
    bind_stacked(bind, name(known.parts[0]), e.ffn, spec.width, &ExpertWeights::gate, w.experts);
    bind_stacked(bind, name(known.parts[1]), e.ffn, spec.width, &ExpertWeights::up, w.experts);
    return bind_stacked(bind, name(known.parts[2]), spec.width, e.ffn, &ExpertWeights::down, w.experts);
  }
  for (int i = 0; i < e.count && bind.status(); ++i)
    w.experts.push_back(bind_parts(bind, spec, name(known.prefix) + std::to_string(i) + ".", known.parts, e.ffn));
}

LayerWeights bind_layer(Binder& bind, const ModelSpec& spec, const TensorNames& names, int layer, Weights& out) {
  const auto name = [&](std::string_view part) { return bind.layer_name(layer, part); };
  LayerWeights w{};
  w.attention_norm = bind.vector(name(names.attention_norm) + ".weight", spec.width);
  w.attention_norm_bias = bind.norm_bias(name(names.attention_norm));
  const bool fused = !names.fused_qkv.empty() && bind.has(name(names.fused_qkv));
  if (fused) bind_fused(bind, spec, name(names.fused_qkv), out, w);
  for (const ProductInfo& info : kProductList) {
    if (!has_product(spec, layer, info.product) || (fused && is_of_qkv(info))) continue;
    const std::string product = name(names.products[info.product]);
    const std::int64_t rows = size_of(info.outputs, spec), cols = size_of(info.inputs, spec);
    w.matrices[info.product] = bind.in_order(info, bind.layer_matrix(product, rows, cols, out), out);
    if (has_bias(spec, info)) w.biases[info.product] = bind.in_order(info, bind.vector(product + ".bias", rows));
  }
  if (spec.qk_norm) {
    w.query_norm = bind.vector(name(names.query_norm) + ".weight", spec.head_size);
    w.key_norm = bind.vector(name(names.key_norm) + ".weight", spec.head_size);
  }
  if (is_of_experts(spec, layer)) bind_experts(bind, spec, names, layer, w);
  w.ffn_norm = bind.vector(name(names.ffn_norm) + ".weight", spec.width);
  w.ffn_norm_bias = bind.norm_bias(name(names.ffn_norm));
  return w;
}

SmallProduct small_product(Binder& bind, const std::string& name, std::int64_t rows, std::int64_t cols) {
  return {bind.values(name + ".weight", {rows, cols}), bind.vector(name + ".bias", rows)};
}

// What a DiT's conditioning comes to without a noise level, into the norms and the output products.
void fold_conditioning(Binder& bind, const ModelSpec& spec, const TensorNames& names, Weights& out) {
  const std::string condition = bind.global_name(names.condition);
  const SmallProduct first = small_product(bind, condition + ".mlp.0", spec.conditioning, kLevelFeatures);
  const SmallProduct second = small_product(bind, condition + ".mlp.2", spec.conditioning, spec.conditioning);
  if (!bind.status()) return;
  const std::vector<float> vector = condition_without_noise(first, second);
  for (int layer = 0; layer < spec.layers; ++layer) {
    const SmallProduct modulation =
        small_product(bind, bind.layer_name(layer, names.modulation), 6 * std::int64_t{spec.width}, spec.conditioning);
    if (!bind.status()) return;
    fold_modulation(modulation.times(vector), out.layers[static_cast<std::size_t>(layer)], out);
  }
  const SmallProduct last =
      small_product(bind, bind.global_name(names.final_modulation), 2 * std::int64_t{spec.width}, spec.conditioning);
  if (!bind.status()) return;
  const std::vector<float> both = last.times(vector);
  fold_shift_and_scale(both.data(), both.data() + spec.width, out.final_norm, out.final_norm_bias);
}

}  // namespace

void rewrite_rows(kernels::StoredMatrix& matrix, Weights& owner, const RowChange& change) {
  auto memory =
      std::make_unique<std::vector<std::byte>>(static_cast<std::size_t>(matrix.rows * matrix.cols) * sizeof(float));
  auto* values = reinterpret_cast<float*>(memory->data());
  const std::int64_t row_bytes = kernels::row_bytes(matrix.dtype, matrix.cols);
  for (std::int64_t row = 0; row < matrix.rows; ++row) {
    float* out = values + row * matrix.cols;
    kernels::dequantize(matrix.dtype, matrix.data + row * row_bytes, out, matrix.cols);
    change(row, out);
  }
  matrix = {kernels::DType::f32, memory->data(), matrix.rows, matrix.cols};
  owner.owned.push_back(std::move(memory));
}

Result<Weights> bind_weights(const Checkpoint& checkpoint, const ModelSpec& spec) {
  if (const auto status = validate(spec); !status) return status.in(checkpoint.source);
  const auto family = find_family(checkpoint);
  if (!family) return family.status();
  const bool gguf = checkpoint.kind == Checkpoint::Kind::gguf;
  const TensorNames& names = gguf ? gguf_names() : *(*family)->names;
  Binder bind(checkpoint, spec, names, tensor_prefix(checkpoint, names));
  Weights out;
  out.embedding = bind.table(bind.global_name(names.embedding), spec.vocabulary, spec.width);
  if (spec.learned_positions) out.positions = bind.matrix(bind.global_name(names.positions), spec.context, spec.width);
  out.final_norm = bind.vector(bind.global_name(names.final_norm) + ".weight", spec.width);
  out.final_norm_bias = bind.norm_bias(bind.global_name(names.final_norm));
  for (int layer = 0; layer < spec.layers && bind.status(); ++layer)
    out.layers.push_back(bind_layer(bind, spec, names, layer, out));
  if (spec.tied_head) {
    bind.ignore(bind.head_name() + ".weight");  // some folders hold the tied matrix twice
    out.head = out.embedding;
  } else {
    out.head = bind.matrix(bind.head_name(), spec.vocabulary, spec.width);
  }
  if (spec.head_bias) out.head_bias = bind.vector(bind.head_name() + ".bias", spec.vocabulary);
  if (spec.conditioning > 0) fold_conditioning(bind, spec, names, out);
  if (!bind.status()) return bind.status().in(checkpoint.source);
  if (const auto status = bind.check_all_used(); !status) return status.in(checkpoint.source);
  return out;
}

Result<LoadedModel> load_model(const std::string& path) {
  auto checkpoint = open_checkpoint(path);
  if (!checkpoint) return checkpoint.status();
  auto spec = read_spec(*checkpoint);
  if (!spec) return spec.status();
  if (const auto status = check_tokens(*spec); !status) return status.in(checkpoint->source);
  auto weights = bind_weights(*checkpoint, *spec);
  if (!weights) return weights.status();
  return LoadedModel{std::move(*checkpoint), std::move(*spec), std::move(*weights)};
}

}  // namespace cinnabar::engine
