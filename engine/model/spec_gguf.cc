// A GGUF file's metadata as a ModelSpec: llama.cpp's keys, its diffusion.* ones, and our cinnabar.*.
#include <optional>
#include <utility>

#include "engine/model/rope_scaling.h"
#include "engine/model/spec_source.h"

namespace cinnabar::engine {
namespace {

// Typed access to the metadata; remembers the first key that was missing or of another kind.
class Keys {
 public:
  Keys(const Checkpoint& checkpoint, std::string_view architecture)
      : checkpoint_(checkpoint), architecture_(architecture) {}

  const Status& status() const { return status_; }
  void fail(const std::string& key, const std::string& message) {
    if (status_) status_ = Status::error("key '" + key + "': " + message);
  }
  std::string own(const std::string& key) const { return architecture_ + "." + key; }

  std::optional<int> integer(const std::string& key) {
    const MetaValue* value = find(key);
    if (!value) return std::nullopt;
    if (const auto* number = std::get_if<std::uint64_t>(value); number && *number <= INT32_MAX)
      return static_cast<int>(*number);
    if (const auto* number = std::get_if<std::int64_t>(value); number && *number >= INT32_MIN && *number <= INT32_MAX)
      return static_cast<int>(*number);
    fail(key, "expected an integer of 32 bits");
    return std::nullopt;
  }
  int required(const std::string& key) {
    if (!find(key)) fail(key, "is missing");
    return integer(key).value_or(0);
  }
  std::optional<double> number(const std::string& key) { return get<double>(key, "a floating point number"); }
  std::optional<bool> boolean(const std::string& key) { return get<bool>(key, "a boolean"); }
  std::optional<std::string> string(const std::string& key) { return get<std::string>(key, "a string"); }
  template <typename T>
  const T* list(const std::string& key) {
    const MetaValue* value = find(key);
    const T* found = value ? std::get_if<T>(value) : nullptr;
    if (value && !found) fail(key, "expected an array of another kind");
    return found;
  }

 private:
  const MetaValue* find(const std::string& key) const {
    const auto found = checkpoint_.metadata.find(key);
    return found == checkpoint_.metadata.end() ? nullptr : &found->second;
  }
  template <typename T>
  std::optional<T> get(const std::string& key, const char* kind) {
    const MetaValue* value = find(key);
    if (!value) return std::nullopt;
    if (const T* found = std::get_if<T>(value)) return *found;
    fail(key, std::string("expected ") + kind);
    return std::nullopt;
  }

  const Checkpoint& checkpoint_;
  std::string architecture_;
  Status status_;
};

// tokenizer.ggml.token_type
constexpr std::int64_t kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5;

bool looks_like_a_tag(const std::string& token) {
  return token.size() > 2 &&
         ((token.front() == '<' && token.back() == '>') || (token.front() == '[' && token.back() == ']'));
}

void read_specials(Keys& keys, SpecialTokens& specials) {
  const auto* tokens = keys.list<std::vector<std::string>>("tokenizer.ggml.tokens");
  const auto* types = keys.list<std::vector<std::int64_t>>("tokenizer.ggml.token_type");
  if (!tokens || !types) return;
  if (tokens->size() != types->size()) {
    keys.fail("tokenizer.ggml.token_type", "expected " + std::to_string(tokens->size()) + " items as in " +
                                               "'tokenizer.ggml.tokens', found " + std::to_string(types->size()));
    return;
  }
  for (std::size_t i = 0; i < tokens->size(); ++i) {
    const std::int64_t type = (*types)[i];
    if (type < kUnknown || type > kUnused) continue;
    const auto id = static_cast<std::int32_t>(i);
    if (type == kControl || type == kUserDefined) specials.ids.emplace((*tokens)[i], id);
    // User-defined tokens are text in some vocabularies (runs of spaces) and tags in others.
    if (type != kUserDefined || looks_like_a_tag((*tokens)[i])) specials.unusable.push_back(id);
  }
}

void read_sizes(Keys& keys, ModelSpec& spec) {
  spec.layers = keys.required(keys.own("block_count"));
  spec.width = keys.required(keys.own("embedding_length"));
  const std::string ffn = keys.own("feed_forward_length");
  spec.ffn = spec.experts.count == 0 ? keys.required(ffn) : keys.integer(ffn).value_or(spec.experts.ffn);
  spec.heads = keys.required(keys.own("attention.head_count"));
  spec.kv_heads = keys.integer(keys.own("attention.head_count_kv")).value_or(spec.heads);
  spec.context = keys.required(keys.own("context_length"));
  if (const auto size = keys.integer(keys.own("attention.key_length")))
    spec.head_size = *size;
  else if (spec.heads > 0)
    spec.head_size = spec.width / spec.heads;
  const char* epsilon = spec.layer_norm ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon";
  spec.norm_epsilon = static_cast<float>(keys.number(keys.own(epsilon)).value_or(spec.layer_norm ? 1e-5 : 1e-6));
  spec.rope_theta = static_cast<float>(keys.number(keys.own("rope.freq_base")).value_or(1e4));
}

void read_experts(Keys& keys, const Family& family, Experts& e) {
  const int count = keys.integer(keys.own("expert_count")).value_or(0);
  if (!family.form.router.has_experts) {
    if (count > 0)
      keys.fail(keys.own("expert_count"),
                "a mixture of experts, which is not supported in this architecture; use a dense model of it");
    return;
  }
  e.count = keys.required(keys.own("expert_count"));
  e.used = keys.required(keys.own("expert_used_count"));
  e.ffn = keys.required(keys.own("expert_feed_forward_length"));
  const std::pair<const char*, int*> sizes[] = {{"expert_shared_feed_forward_length", &e.shared_ffn},
                                                {"leading_dense_block_count", &e.dense_layers},
                                                {"expert_group_count", &e.groups},
                                                {"expert_group_used_count", &e.groups_used}};
  for (const auto& [key, size] : sizes) *size = keys.integer(keys.own(key)).value_or(*size);
  e.renormalise = keys.boolean(keys.own("expert_weights_norm")).value_or(e.renormalise);
  e.scale = static_cast<float>(keys.number(keys.own("expert_weights_scale")).value_or(1));
  if (e.count < 1) keys.fail(keys.own("expert_count"), "expected 1 or more");
  const int function = keys.integer(keys.own("expert_gating_func")).value_or(e.sigmoid ? 2 : 1);
  if (function != 1 && function != 2) keys.fail(keys.own("expert_gating_func"), "expected 1 (softmax) or 2 (sigmoid)");
  e.sigmoid = function == 2;
}

// Keys of llama.cpp's that change the arithmetic, each with the one value that is understood.
struct UnderstoodKey {
  const char* key;
  double value;
};
constexpr UnderstoodKey kUnderstood[] = {{"logit_scale", 1},
                                         {"embedding_scale", 1},
                                         {"residual_scale", 1},
                                         {"final_logit_softcapping", 0},
                                         {"attn_logit_softcapping", 0},
                                         {"attention.clamp_kqv", 0},
                                         {"attention.max_alibi_bias", 0}};

// Switches that change the arithmetic and that we do not have.
void refuse_unsupported(Keys& keys, const ModelSpec& spec) {
  for (const auto& [key, value] : kUnderstood) {
    const auto found = keys.number(keys.own(key));
    if (found && *found != value)
      keys.fail(keys.own(key), "only " + std::to_string(value) + " is understood, found " + std::to_string(*found));
  }
  if (keys.boolean(keys.own("use_parallel_residual")).value_or(false))
    keys.fail(keys.own("use_parallel_residual"), "layers with parallel residuals are not supported");
  if (const auto window = keys.integer(keys.own("attention.sliding_window"));
      window && *window > 0 && *window < spec.context)
    keys.fail(keys.own("attention.sliding_window"), "sliding windows are not supported");
  if (keys.integer(keys.own("attention.value_length")).value_or(spec.head_size) != spec.head_size)
    keys.fail(keys.own("attention.value_length"), "expected the head size " + std::to_string(spec.head_size));
}

// Scaling by keys, or by a tensor of divisors (Llama 3.1).
void read_rope(Keys& keys, const Checkpoint& checkpoint, ModelSpec& spec) {
  if (const auto rotary = keys.integer(keys.own("rope.dimension_count")); rotary && *rotary != spec.head_size)
    spec.rotary = *rotary;
  if (spec.rotary > 0 && spec.rope_interleaved)
    keys.fail(keys.own("rope.dimension_count"), "expected the head size " + std::to_string(spec.head_size) +
                                                    ": partly rotated heads with interleaved pairs are not supported");
  RopeScaling scaling;
  scaling.kind = keys.string(keys.own("rope.scaling.type")).value_or("none");
  if (scaling.kind == "none") scaling.kind = "default";
  scaling.factor = keys.number(keys.own("rope.scaling.factor")).value_or(0);
  scaling.original_context = keys.integer(keys.own("rope.scaling.original_context_length")).value_or(spec.context);
  if (const auto fast = keys.number(keys.own("rope.scaling.yarn_beta_fast"))) scaling.beta_fast = *fast;
  if (const auto slow = keys.number(keys.own("rope.scaling.yarn_beta_slow"))) scaling.beta_slow = *slow;
  if (const auto factor = keys.number(keys.own("rope.scaling.attn_factor")); factor && *factor != 1)
    keys.fail(keys.own("rope.scaling.attn_factor"), "only 1 is understood, found " + std::to_string(*factor));
  if (const auto status = scale_rope(scaling, spec); !status)
    keys.fail(keys.own("rope.scaling.type"), status.message());
  const Tensor* divisors = checkpoint.find("rope_freqs.weight");
  if (divisors == nullptr) return;
  const std::size_t pairs = static_cast<std::size_t>(spec.rotary > 0 ? spec.rotary : spec.head_size) / 2;
  if (divisors->dtype != kernels::DType::f32 || divisors->shape != std::vector{static_cast<std::int64_t>(pairs)})
    return keys.fail("rope_freqs.weight",
                     "expected F32 " + std::to_string(pairs) + ", found " + shape_text(divisors->shape));
  spec.rope_divisors.resize(pairs);
  kernels::dequantize(divisors->dtype, divisors->data, spec.rope_divisors.data(), divisors->shape[0]);
}

void read_switches(Keys& keys, ModelSpec& spec) {
  if (const auto shift = keys.boolean("diffusion.shift_logits")) spec.logits_shift = *shift ? 1 : 0;
  if (const auto block = keys.integer("cinnabar.block_length")) spec.block_length = *block;
  if (const auto attention = keys.string("cinnabar.attention"))
    if (const auto status = parse_attention(*attention, spec); !status)
      keys.fail("cinnabar.attention", status.message());
}

void read_ids(Keys& keys, ModelSpec& spec) {
  const std::pair<const char*, std::int32_t*> ids[] = {{"tokenizer.ggml.mask_token_id", &spec.mask},
                                                       {"tokenizer.ggml.bos_token_id", &spec.bos},
                                                       {"tokenizer.ggml.eos_token_id", &spec.end_of_text},
                                                       {"tokenizer.ggml.fim_pre_token_id", &spec.fim_prefix},
                                                       {"tokenizer.ggml.fim_mid_token_id", &spec.fim_middle},
                                                       {"tokenizer.ggml.fim_suf_token_id", &spec.fim_suffix},
                                                       {"cinnabar.hole_end_token_id", &spec.hole_end},
                                                       {"cinnabar.expand_token_id", &spec.expand},
                                                       {"cinnabar.erase_token_id", &spec.erase}};
  for (const auto& [key, id] : ids)
    if (const auto value = keys.integer(key)) *id = *value;
}

// Tags that the file names by id count where their literals are not known.
void read_infill(Keys& keys, const Family& family, SpecialTokens& specials, ModelSpec& spec) {
  specials.marker = keys.string("tokenizer.ggml.pre").value_or("");
  apply_fill_tags(family, specials, spec);
  if (spec.fim_prefix >= 0 && spec.fim_suffix >= 0 && spec.infill == InfillLayout::prefix_only)
    spec.infill = spec.fim_middle >= 0 ? InfillLayout::prefix_then_suffix : InfillLayout::suffix_tag_first;
  if (const auto layout = keys.string("cinnabar.infill_layout"))
    if (const auto status = parse_infill(*layout, spec); !status) keys.fail("cinnabar.infill_layout", status.message());
}

}  // namespace

Status read_gguf_spec(const Checkpoint& checkpoint, const Family& family, SpecialTokens& specials, ModelSpec& spec) {
  Keys keys(checkpoint, family.gguf);
  read_experts(keys, family, spec.experts);
  read_sizes(keys, spec);
  read_specials(keys, specials);
  refuse_unsupported(keys, spec);
  read_rope(keys, checkpoint, spec);
  apply_mask_literals(specials, spec);
  read_ids(keys, spec);
  read_switches(keys, spec);
  specials.add_bos = keys.boolean("tokenizer.ggml.add_bos_token");
  if (keys.string("tokenizer.ggml.model").value_or("") == "llama" && !specials.add_bos) specials.add_bos = true;
  read_infill(keys, family, specials, spec);
  if (!keys.status()) return keys.status();
  const Tensor* embedding = checkpoint.find("token_embd.weight");
  if (!embedding || embedding->shape.size() != 2)
    return Status::error("tensor 'token_embd.weight': expected a matrix, found none");
  const auto rows = checked_int("tensor 'token_embd.weight'", embedding->shape[0]);
  if (!rows) return rows.status();
  spec.vocabulary = *rows;
  read_presence(checkpoint, gguf_names(), spec);
  return {};
}

}  // namespace cinnabar::engine
