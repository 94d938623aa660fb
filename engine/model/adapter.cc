// load_adapter and merge_adapter (weights.h): low-rank additions from a GGUF adapter or a PEFT folder (LoRA,
// 2106.09685).
#include <sys/stat.h>

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "engine/model/families.h"
#include "engine/model/gguf.h"
#include "engine/model/hf_folder.h"
#include "engine/model/json.h"
#include "engine/model/mapping.h"
#include "engine/model/row_order.h"
#include "engine/model/weights.h"

namespace cinnabar::engine {
namespace {

constexpr std::int64_t kConfigLimit = 1 << 20;
constexpr std::int64_t kRankLimit = 4096;

// What an adapter's file says besides its tensors.
struct Settings {
  double alpha = 0;
  bool root_scale = false;  // rank-stabilised: alpha / sqrt(R) (2312.03732)
  bool gated = false;
  std::int32_t hole_end = -1;
  int block_length = 0;
};

std::vector<float> expand(const Tensor& tensor) {
  std::vector<float> values(static_cast<std::size_t>(tensor.shape[0] * tensor.shape[1]));
  kernels::dequantize(tensor.dtype, tensor.data, values.data(), static_cast<std::int64_t>(values.size()));
  return values;
}

Status expect_shape(const std::string& name, const Tensor& tensor, std::int64_t rows, std::int64_t cols) {
  if (tensor.shape == std::vector<std::int64_t>{rows, cols}) return {};
  return Status::error("tensor " + shown_name(name) + ": expected shape " + shape_text({rows, cols}) + ", found " +
                       shape_text(tensor.shape));
}

Result<LowRank> make_low_rank(const std::pair<std::string, Tensor>& a, const std::pair<std::string, Tensor>& b,
                              std::int64_t outputs, std::int64_t inputs, const Settings& settings) {
  const std::int64_t rank = a.second.shape.empty() ? 0 : a.second.shape[0];
  if (rank < 1 || rank > kRankLimit)
    return Status::error("tensor " + shown_name(a.first) + ": expected a rank of 1 to " + std::to_string(kRankLimit) +
                         ", found shape " + shape_text(a.second.shape));
  if (const auto status = expect_shape(a.first, a.second, rank, inputs); !status) return status;
  if (const auto status = expect_shape(b.first, b.second, outputs, rank); !status) return status;
  LowRank out{expand(a.second), expand(b.second), rank, inputs, outputs};
  const double divisor = settings.root_scale ? std::sqrt(static_cast<double>(rank)) : static_cast<double>(rank);
  const auto scale = static_cast<float>(settings.alpha / divisor);
  for (float& value : out.b) value *= scale;
  return out;
}

void restore_row_order(LowRank& part, int head_size) {
  const auto row_bytes = part.rank * static_cast<std::int64_t>(sizeof(float));
  const auto bytes = rotate_half_rows(std::as_bytes(std::span(part.b)), row_bytes, head_size);
  std::memcpy(part.b.data(), bytes.data(), bytes.size());
}

using NamedTensor = std::optional<std::pair<std::string, Tensor>>;

// GGUF names are exact; PEFT puts a prefix of its own before the layer.
NamedTensor find_half(const Checkpoint& file, int layer, Product product, bool a) {
  if (file.kind == Checkpoint::Kind::gguf) {
    const std::string name = "blk." + std::to_string(layer) + "." + std::string(gguf_names().products[product]) +
                             (a ? ".weight.lora_a" : ".weight.lora_b");
    if (const Tensor* tensor = file.find(name)) return std::pair(name, *tensor);
    return std::nullopt;
  }
  const std::string name = "layers." + std::to_string(layer) + "." +
                           std::string(hugging_face_names().products[product]) +
                           (a ? ".lora_A.weight" : ".lora_B.weight");
  for (const char* prefix : {"base_model.model.model.", "base_model.model.", "model.", ""})
    if (const Tensor* tensor = file.find(prefix + name)) return std::pair(prefix + name, *tensor);
  return std::nullopt;
}

Status read_layer(const Checkpoint& file, int index, const ModelSpec& spec, const Settings& settings,
                  std::set<std::string>& used, LayerAdapter& layer) {
  for (const ProductInfo& info : kProductList) {
    if (!has_product(spec, index, info.product)) continue;
    const auto a = find_half(file, index, info.product, true);
    const auto b = find_half(file, index, info.product, false);
    if (!a && !b) continue;
    if (!a || !b)
      return Status::error("tensor " + shown_name(a ? a->first : b->first) + ": the other half of the pair is missing");
    auto part = make_low_rank(*a, *b, size_of(info.outputs, spec), size_of(info.inputs, spec), settings);
    if (!part) return part.status();
    if (info.rotated && spec.rope_interleaved && file.kind == Checkpoint::Kind::gguf)
      restore_row_order(*part, spec.head_size);
    used.insert({a->first, b->first});
    layer[info.product] = std::move(*part);
  }
  return {};
}

Result<Adapter> assemble(const Checkpoint& file, const ModelSpec& spec, const Settings& settings) {
  if (!std::isfinite(settings.alpha) || settings.alpha == 0)
    return Status::error("alpha: expected a number other than 0, found " + std::to_string(settings.alpha));
  if (settings.hole_end < -1 || settings.hole_end >= spec.vocabulary)
    return Status::error("hole end token id: expected below " + std::to_string(spec.vocabulary) + ", found " +
                         std::to_string(settings.hole_end));
  Adapter adapter;
  adapter.gated = settings.gated;
  adapter.hole_end = settings.hole_end;
  adapter.block_length = settings.block_length;
  adapter.layers.resize(static_cast<std::size_t>(spec.layers));
  std::set<std::string> used;
  for (int i = 0; i < spec.layers; ++i)
    if (const auto status = read_layer(file, i, spec, settings, used, adapter.layers[static_cast<std::size_t>(i)]);
        !status)
      return status;
  for (const auto& [name, tensor] : file.tensors)
    if (!used.contains(name))
      return Status::error("tensor " + shown_name(name) + ": not a low-rank half of one of the " +
                           std::to_string(spec.layers) + " layers' products");
  if (used.empty()) return Status::error("no low-rank tensors in it");
  return adapter;
}

template <typename T>
std::optional<T> meta(const Checkpoint& file, const char* key) {
  const auto found = file.metadata.find(key);
  const T* value = found == file.metadata.end() ? nullptr : std::get_if<T>(&found->second);
  return value ? std::optional<T>(*value) : std::nullopt;
}

Status check_block_length(std::optional<std::int64_t> length, Settings& settings) {
  if (!length) return {};
  if (*length < 1 || *length > 1024)
    return Status::error("block length: expected 1 to 1024, found " + std::to_string(*length));
  settings.block_length = static_cast<int>(*length);
  return {};
}

std::optional<std::int64_t> meta_integer(const Checkpoint& file, const char* key) {
  const auto value = meta<std::uint64_t>(file, key);
  return value ? std::optional<std::int64_t>(*value > INT32_MAX ? INT32_MAX : static_cast<std::int64_t>(*value))
               : std::nullopt;
}

Result<Adapter> load_gguf(const std::string& path, const ModelSpec& spec) {
  const auto mapping = Mapping::open(path);
  if (!mapping) return mapping.status();
  const auto file = parse_gguf((*mapping)->bytes());
  if (!file) return file.status();
  if (meta<std::string>(*file, "general.type").value_or("") != "adapter")
    return Status::error("key 'general.type': expected 'adapter', found " +
                         shown_name(meta<std::string>(*file, "general.type").value_or("")));
  if (meta<std::string>(*file, "adapter.type").value_or("lora") != "lora")
    return Status::error("key 'adapter.type': expected 'lora'");
  const auto alpha = meta<double>(*file, "adapter.lora.alpha");
  if (!alpha) return Status::error("key 'adapter.lora.alpha' is missing");
  Settings settings{.alpha = *alpha};
  settings.gated = meta<bool>(*file, "cinnabar.adapter.gated").value_or(false);
  settings.hole_end = static_cast<std::int32_t>(meta_integer(*file, "cinnabar.hole_end_token_id").value_or(-1));
  if (const auto status = check_block_length(meta_integer(*file, "cinnabar.block_length"), settings); !status)
    return status;
  return assemble(*file, spec, settings);
}

Result<Adapter> load_folder(const std::string& folder, const ModelSpec& spec) {
  const auto text = read_text_file(folder + "/adapter_config.json", kConfigLimit);
  if (!text) return text.status();
  const auto config = parse_json(*text);
  if (!config) return config.status().in("adapter_config.json");
  if (json_string(*config, "peft_type").value_or("LORA") != "LORA" || json_bool(*config, "use_dora").value_or(false))
    return Status::error("adapter_config.json: expected an ordinary LoRA adapter");
  const auto alpha = json_number(*config, "lora_alpha");
  if (!alpha) return Status::error("adapter_config.json: 'lora_alpha' is missing");
  Settings settings{.alpha = *alpha, .root_scale = json_bool(*config, "use_rslora").value_or(false)};
  settings.gated = json_bool(*config, "cinnabar_gated").value_or(false);
  const auto hole_end = json_integer(*config, "cinnabar_hole_end_token_id").value_or(-1);
  settings.hole_end = hole_end > INT32_MAX || hole_end < -1 ? INT32_MAX : static_cast<std::int32_t>(hole_end);
  if (const auto status = check_block_length(json_integer(*config, "cinnabar_block_length"), settings); !status)
    return status.in("adapter_config.json");
  Checkpoint file;
  file.kind = Checkpoint::Kind::hugging_face;
  if (const auto status = read_folder_tensors(folder, "adapter_model", file); !status) return status;
  return assemble(file, spec, settings);
}

// stored + B A, in f32.
void merge_matrix(const LowRank& part, kernels::StoredMatrix& stored, Weights& weights) {
  rewrite_rows(stored, weights, [&](std::int64_t row, float* values) {
    for (std::int64_t r = 0; r < part.rank; ++r) {
      const float factor = part.b[static_cast<std::size_t>(row * part.rank + r)];
      const float* direction = part.a.data() + r * part.inputs;
      for (std::int64_t col = 0; col < part.inputs; ++col) values[col] += factor * direction[col];
    }
  });
}

}  // namespace

Result<Adapter> load_adapter(const std::string& path, const ModelSpec& spec) {
  struct stat info {};
  const bool folder = ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
  auto adapter = folder ? load_folder(path, spec) : load_gguf(path, spec);
  if (!adapter) return adapter.status().in(path);
  return adapter;
}

Status merge_adapter(const Adapter& adapter, Weights& weights) {
  if (adapter.gated) return Status::error("a gated adapter cannot be merged: it must not touch clean rows");
  if (adapter.layers.size() != weights.layers.size())
    return Status::error("adapter: expected " + std::to_string(weights.layers.size()) + " layers, found " +
                         std::to_string(adapter.layers.size()));
  for (std::size_t i = 0; i < weights.layers.size(); ++i)
    for (const ProductInfo& info : kProductList)
      if (const auto& part = adapter.layers[i][info.product])
        merge_matrix(*part, weights.layers[i].matrices[info.product], weights);
  return {};
}

}  // namespace cinnabar::engine
