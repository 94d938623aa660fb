#include "engine/model/weights.h"

#include <cstring>
#include <set>
#include <utility>

#include "engine/model/families.h"
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

  StoredMatrix matrix(const std::string& name, std::int64_t rows, std::int64_t cols) {
    const Tensor* tensor = take(name + ".weight", {rows, cols});
    if (!tensor) return {kernels::DType::f32, nullptr, 0, 0};
    return {tensor->dtype, tensor->data, rows, cols};
  }
  std::vector<float> vector(const std::string& name, std::int64_t size) {
    const Tensor* tensor = take(name, {size});
    if (!tensor) return {};
    std::vector<float> values(static_cast<std::size_t>(size));
    kernels::dequantize(tensor->dtype, tensor->data, values.data(), size);
    return values;
  }
  // A product's matrix, and below its bias, with query and key rows in rotate-half order.
  StoredMatrix product(const ProductInfo& info, const std::string& name, Weights& out) {
    const StoredMatrix stored = matrix(name, size_of(info.outputs, spec_), size_of(info.inputs, spec_));
    if (!stored.data || !info.rotated || !spec_.rope_interleaved) return stored;
    const std::int64_t row = kernels::row_bytes(stored.dtype, stored.cols);
    const std::span<const std::byte> rows(stored.data, static_cast<std::size_t>(row * stored.rows));
    out.owned.push_back(std::make_unique<std::vector<std::byte>>(rotate_half_rows(rows, row, spec_.head_size)));
    return {stored.dtype, out.owned.back()->data(), stored.rows, stored.cols};
  }
  std::vector<float> bias(const ProductInfo& info, const std::string& name) {
    const std::vector<float> stored = vector(name + ".bias", size_of(info.outputs, spec_));
    if (stored.empty() || !info.rotated || !spec_.rope_interleaved) return stored;
    const auto bytes = rotate_half_rows(std::as_bytes(std::span(stored)), sizeof(float), spec_.head_size);
    std::vector<float> values(stored.size());
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }

  void ignore(const std::string& name) { used_.insert(name); }
  // A tensor that nobody asked for would make the model's output silently wrong.
  Status check_all_used() const {
    for (const auto& [name, tensor] : checkpoint_.tensors)
      if (!used_.contains(name) && !name.ends_with("rotary_emb.inv_freq") && name != "rope_freqs.weight")
        return Status::error("tensor " + shown_name(name) + " " + shape_text(tensor.shape) +
                             ": not expected in a model of the family " + spec_.family);
    return {};
  }

 private:
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

LayerWeights bind_layer(Binder& bind, const ModelSpec& spec, const TensorNames& names, int layer, Weights& out) {
  const auto name = [&](std::string_view part) { return bind.layer_name(layer, part); };
  LayerWeights w{};
  w.attention_norm = bind.vector(name(names.attention_norm) + ".weight", spec.width);
  for (const ProductInfo& info : kProductList) {
    const std::string product = name(names.products[info.product]);
    w.matrices[info.product] = bind.product(info, product, out);
    if (info.biased && spec.qkv_bias) w.biases[info.product] = bind.bias(info, product);
  }
  if (spec.qk_norm) {
    w.query_norm = bind.vector(name(names.query_norm) + ".weight", spec.head_size);
    w.key_norm = bind.vector(name(names.key_norm) + ".weight", spec.head_size);
  }
  w.ffn_norm = bind.vector(name(names.ffn_norm) + ".weight", spec.width);
  return w;
}

}  // namespace

Result<Weights> bind_weights(const Checkpoint& checkpoint, const ModelSpec& spec) {
  if (const auto status = validate(spec); !status) return status.in(checkpoint.source);
  const auto family = find_family(checkpoint);
  if (!family) return family.status();
  const bool gguf = checkpoint.kind == Checkpoint::Kind::gguf;
  const TensorNames& names = gguf ? gguf_names() : *(*family)->names;
  Binder bind(checkpoint, spec, names, tensor_prefix(checkpoint, names));
  Weights out;
  out.embedding = bind.matrix(bind.global_name(names.embedding), spec.vocabulary, spec.width);
  out.final_norm = bind.vector(bind.global_name(names.final_norm) + ".weight", spec.width);
  for (int layer = 0; layer < spec.layers && bind.status(); ++layer)
    out.layers.push_back(bind_layer(bind, spec, names, layer, out));
  if (spec.tied_head) {
    bind.ignore(bind.head_name() + ".weight");  // some folders hold the tied matrix twice
    out.head = out.embedding;
  } else {
    out.head = bind.matrix(bind.head_name(), spec.vocabulary, spec.width);
  }
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
