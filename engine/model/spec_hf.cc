// A Hugging Face folder's config.json and tokenizer files as a ModelSpec.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <utility>

#include "engine/model/config_values.h"
#include "engine/model/json.h"
#include "engine/model/rope_scaling.h"
#include "engine/model/spec_source.h"

namespace cinnabar::engine {
namespace {

using nlohmann::json;

// What a dialect calls the sizes. Empty: the key/value heads are as many as the heads.
struct ConfigNames {
  const char *layers, *width, *heads, *kv_heads, *ffn, *vocabulary, *context, *tied;
};
constexpr ConfigNames kHuggingFace = {"num_hidden_layers",       "hidden_size",        "num_attention_heads",
                                      "num_key_value_heads",     "intermediate_size",  "vocab_size",
                                      "max_position_embeddings", "tie_word_embeddings"};
constexpr ConfigNames kOlmo = {
    "n_layers",    "d_model", "n_heads", "n_kv_heads", "mlp_hidden_size", "vocab_size", "max_sequence_length",
    "weight_tying"};
constexpr ConfigNames kGpt2 = {"n_layer", "n_embd",     "n_head",      "",
                               "n_inner", "vocab_size", "n_positions", "tie_word_embeddings"};
constexpr ConfigNames kDit = {"n_blocks", "hidden_dim", "n_heads",      "",
                              "",         "vocab_size", "model_length", "tie_word_embeddings"};
const ConfigNames& names_of(ConfigDialect dialect) {
  constexpr const ConfigNames* kNames[] = {&kHuggingFace, &kOlmo, &kGpt2, &kDit};
  return *kNames[static_cast<std::size_t>(dialect)];
}

constexpr int kWidest = 1 << 20;  // of a width that is multiplied before validate() sees it

Status read_sizes(const json& config, ConfigDialect dialect, ModelSpec& spec) {
  const ConfigNames& names = names_of(dialect);
  const std::pair<const char*, int*> required[] = {{names.layers, &spec.layers},
                                                   {names.width, &spec.width},
                                                   {names.heads, &spec.heads},
                                                   {names.vocabulary, &spec.vocabulary},
                                                   {names.context, &spec.context}};
  for (const auto& [name, size] : required)
    if (const auto status = take_int(config, name, std::nullopt, *size); !status) return status;
  // The feed-forward part of GPT-2 and DiT is four times as wide as the model where nothing is said.
  std::optional<int> ffn;
  if ((dialect == ConfigDialect::gpt2 || dialect == ConfigDialect::dit) && spec.width <= kWidest) ffn = 4 * spec.width;
  // Models all of whose layers have experts may not say how wide a dense one is.
  for (const char* name : {"dense_intermediate_size", "expert_intermediate_size"})
    if (const auto width = json_integer(config, name); width && !ffn)
      ffn = static_cast<int>(std::clamp<std::int64_t>(*width, 0, kWidest));
  if (const auto status = take_int(config, names.ffn, ffn, spec.ffn); !status) return status;
  const int kv_heads = json_bool(config, "multi_query").value_or(false) ? 1 : spec.heads;
  if (const auto status = take_int(config, names.kv_heads, kv_heads, spec.kv_heads); !status) return status;
  // OLMo's matrices may have more rows than its vocabulary has tokens.
  if (dialect == ConfigDialect::olmo)
    if (const auto status = take_int(config, "embedding_size", spec.vocabulary, spec.vocabulary); !status)
      return status;
  const int divided = spec.heads > 0 ? spec.width / spec.heads : 0;
  return take_int(config, "head_dim", divided, spec.head_size);
}

RopeScaling rope_scaling(const json& rope, int context) {
  RopeScaling scaling;
  scaling.kind = json_string(rope, "rope_type").value_or(json_string(rope, "type").value_or("default"));
  scaling.factor = json_number(rope, "factor").value_or(0);
  scaling.original_context = json_number(rope, "original_max_position_embeddings").value_or(context);
  scaling.low = json_number(rope, "low_freq_factor").value_or(scaling.low);
  scaling.high = json_number(rope, "high_freq_factor").value_or(scaling.high);
  scaling.beta_fast = json_number(rope, "beta_fast").value_or(scaling.beta_fast);
  scaling.beta_slow = json_number(rope, "beta_slow").value_or(scaling.beta_slow);
  scaling.magnitude = json_number(rope, "attention_factor").value_or(0);
  scaling.magnitude_scale = json_number(rope, "mscale").value_or(0);
  scaling.magnitude_scale_all = json_number(rope, "mscale_all_dim").value_or(0);
  scaling.whole_pairs = json_bool(rope, "truncate").value_or(true);
  return scaling;
}

Status read_rotary(const json& object, ModelSpec& spec) {
  const auto share = json_number(object, "partial_rotary_factor");
  if (!share || *share == 1) return {};
  if (!(*share > 0 && *share < 1))
    return Status::error("'partial_rotary_factor': expected a number above 0 and up to 1, found " +
                         std::to_string(*share));
  spec.rotary = static_cast<int>(*share * spec.head_size);
  return {};
}

Status read_rope(const json& config, ModelSpec& spec) {
  if (const auto status = read_rotary(config, spec); !status) return status;
  spec.rope_theta = static_cast<float>(json_number(config, "rope_theta").value_or(spec.rope_theta));
  for (const char* name : {"rope_scaling", "rope_parameters"}) {
    if (!is_set(config, name)) continue;
    const json& rope = config[name];
    if (!rope.is_object()) return Status::error(std::string("'") + name + "': expected an object");
    spec.rope_theta = static_cast<float>(json_number(rope, "rope_theta").value_or(spec.rope_theta));
    if (const auto status = read_rotary(rope, spec); !status) return status;
    if (const auto status = scale_rope(rope_scaling(rope, spec.context), spec); !status)
      return status.in(std::string("'") + name + "'");
  }
  return {};
}

// Keys that change the arithmetic, each with the one value that is understood; absent or null is that value, too.
struct Understood {
  const char *key, *value;  // as JSON
};
constexpr Understood kUnderstood[] = {{"final_logit_softcapping", "0"},
                                      {"attn_logit_softcapping", "0"},
                                      {"logits_scaling", "1"},
                                      {"logit_scale", "1"},
                                      {"embedding_multiplier", "1"},
                                      {"residual_multiplier", "1"},
                                      {"scale_emb", "1"},
                                      {"scale_depth", "1"},
                                      {"scale_logits", "false"},
                                      {"scale_embeddings", "false"},
                                      {"input_emb_norm", "false"},
                                      {"alibi", "false"},
                                      {"attention_layer_norm", "false"},
                                      {"norm_after", "false"},
                                      {"use_parallel_residual", "false"},
                                      {"parallel_attn", "false"},
                                      {"layer_norm_type", "\"rms\""},
                                      {"norm_type", "\"layer_norm\""},
                                      {"mlp_type", "\"default\""},
                                      {"multi_query", "true"},
                                      {"scale_attn_weights", "true"},
                                      {"scale_attn_by_inverse_layer_idx", "false"},
                                      {"time_conditioning", "false"},
                                      {"causal", "false"},
                                      {"clip_qkv", "0"},
                                      {"use_mup", "false"},
                                      {"use_cross_attention", "false"},
                                      {"add_cross_attention", "false"},
                                      {"quantization_config", "null"}};

Status refuse_unknown_arithmetic(const json& config) {
  for (const auto& [key, value] : kUnderstood) {
    if (!is_set(config, key)) continue;
    const json understood = json::parse(value, nullptr, false);
    if (config[key] == understood) continue;
    return Status::error(std::string("'") + key + "': only " + (understood.is_null() ? "its absence" : value) +
                         " is understood, found " + shown_name(config[key].dump()));
  }
  if (is_set(config, "rope") && json_bool(config, "rope") == false)
    return Status::error("'rope': models without rotary embeddings are not supported");
  return {};
}

Status check_activation(const json& config, const ModelSpec& spec) {
  constexpr std::string_view kGated[] = {"silu"}, kPlain[] = {"gelu_pytorch_tanh", "gelu_new", "gelu_fast"};
  const std::span<const std::string_view> known = spec.gated_ffn ? std::span<const std::string_view>(kGated) : kPlain;
  for (const char* name : {"hidden_act", "activation_type", "activation_function"}) {
    const auto activation = json_string(config, name);
    if (activation && std::find(known.begin(), known.end(), *activation) == known.end())
      return Status::error(std::string("'") + name + "': expected '" + std::string(known[0]) + "', found " +
                           shown_name(*activation));
  }
  return {};
}

Status read_arithmetic(const json& config, ModelSpec& spec) {
  if (const auto status = refuse_unknown_arithmetic(config); !status) return status;
  if (spec.layer_norm) spec.norm_epsilon = 1e-5f;
  for (const char* name : {"rms_norm_eps", "norm_epsilon", "layer_norm_epsilon"})
    spec.norm_epsilon = static_cast<float>(json_number(config, name).value_or(spec.norm_epsilon));
  if (const auto status = check_activation(config, spec); !status) return status;
  if (json_bool(config, "use_sliding_window").value_or(false))
    return Status::error("'use_sliding_window': sliding windows are not supported");
  // Mistral's and StarCoder2's classes have no switch: a window below the context is used. Up to its length it changes
  // nothing, so such a model has the window as its context.
  const auto window = json_integer(config, "sliding_window");
  if (window && *window < spec.context && !is_set(config, "use_sliding_window")) {
    if (*window < 1) return Status::error("'sliding_window': expected 1 or more, found " + std::to_string(*window));
    spec.context = static_cast<int>(*window);
    spec.context_is_limit = true;
  }
  return read_rope(config, spec);
}

Status read_attention(const json& config, ModelSpec& spec) {
  const auto attention = json_string(config, "cinnabar_attention");
  return attention ? parse_attention(*attention, spec) : Status();
}

Status read_switches(const json& config, ModelSpec& spec) {
  if (const auto shift = json_bool(config, "cinnabar_logits_shift")) spec.logits_shift = *shift ? 1 : 0;
  if (spec.attention != Attention::full)
    for (const char* name : {"block_size", "bd_size"})
      if (const auto status = take_int(config, name, spec.block_length, spec.block_length); !status) return status;
  if (const auto status = take_int(config, "cinnabar_sub_block", spec.sub_block, spec.sub_block); !status)
    return status;
  if (const auto status = take_int(config, "cinnabar_block_length", spec.block_length, spec.block_length); !status)
    return status;
  if (const auto layout = json_string(config, "cinnabar_infill_layout")) return parse_infill(*layout, spec);
  return {};
}

Status read_ids(const json& config, ModelSpec& spec) {
  const std::pair<const char*, std::int32_t*> ids[] = {{"mask_token_id", &spec.mask},
                                                       {"bos_token_id", &spec.bos},
                                                       {"cinnabar_hole_end_token_id", &spec.hole_end},
                                                       {"cinnabar_expand_token_id", &spec.expand},
                                                       {"cinnabar_erase_token_id", &spec.erase}};
  for (const auto& [name, id] : ids)
    if (const auto status = take_int(config, name, *id, *id); !status) return status;
  // One end token, or a list whose first is the one that ends a text.
  if (config.contains("eos_token_id") && config["eos_token_id"].is_array()) {
    const json& list = config["eos_token_id"];
    if (list.empty()) return {};
    return take_int(json{{"eos_token_id", list[0]}}, "eos_token_id", -1, spec.end_of_text);
  }
  return take_int(config, "eos_token_id", -1, spec.end_of_text);
}

// Ids above every vocabulary come from hostile or foreign files; they name no row of this model.
void add(SpecialTokens& specials, const std::string& literal, std::optional<std::int64_t> id, bool special,
         int vocabulary) {
  if (!id || *id < 0 || *id >= vocabulary) return;
  const auto narrow = static_cast<std::int32_t>(*id);
  if (specials.ids.emplace(literal, narrow).second && special) specials.unusable.push_back(narrow);
}

Result<json> read_text(const Checkpoint& checkpoint, const char* name, std::string_view skip = {}) {
  const auto text = checkpoint.texts.find(name);
  if (text == checkpoint.texts.end()) return json::object();
  auto tree = parse_json(text->second, {.skip = skip});
  if (!tree) return tree.status().in(name);
  return tree;
}

// Added tokens, from whichever of the three files lists them.
Status read_specials(const Checkpoint& checkpoint, int vocabulary, SpecialTokens& specials) {
  const auto tokenizer = read_text(checkpoint, "tokenizer.json", "model");
  if (!tokenizer) return tokenizer.status();
  if (tokenizer->is_object() && tokenizer->contains("added_tokens"))
    for (const json& token : (*tokenizer)["added_tokens"])
      if (const auto literal = json_string(token, "content"))
        add(specials, *literal, json_integer(token, "id"), json_bool(token, "special").value_or(true), vocabulary);
  const auto config = read_text(checkpoint, "tokenizer_config.json");
  if (!config) return config.status();
  if (config->is_object() && config->contains("added_tokens_decoder"))
    for (const auto& [id, token] : (*config)["added_tokens_decoder"].items()) {
      const bool digits = !id.empty() && id.size() < 10 && id.find_first_not_of("0123456789") == std::string::npos;
      const auto literal = json_string(token, "content");
      if (digits && literal)
        add(specials, *literal, std::stol(id), json_bool(token, "special").value_or(true), vocabulary);
    }
  const auto added = read_text(checkpoint, "added_tokens.json");
  if (!added) return added.status();
  if (added->is_object())
    for (const auto& [literal, id] : added->items())
      add(specials, literal, json_integer(*added, literal.c_str()), true, vocabulary);
  return {};
}

// The literal of a token with a role in a tokenizer's configuration; empty: none.
std::string role(const json& tree, const char* name) {
  if (!tree.is_object() || !tree.contains(name)) return {};
  const json& token = tree[name];
  return (token.is_object() ? json_string(token, "content") : json_string(tree, name)).value_or("");
}

// The tokenizer's own word for the token that texts begin with, and whether it puts it there.
void read_bos_token(const Checkpoint& checkpoint, SpecialTokens& specials) {
  if (checkpoint.texts.contains("tokenizer.model")) specials.add_bos = true;
  for (const char* file : {"tokenizer_config.json", "special_tokens_map.json"}) {
    const auto tree = read_text(checkpoint, file);
    if (!tree || !tree->is_object()) continue;
    if (specials.bos.empty()) specials.bos = role(*tree, "bos_token");
    if (const auto add = json_bool(*tree, "add_bos_token")) specials.add_bos = *add;
  }
}

// The tokenizer's own word for its mask token.
void read_mask_token(const Checkpoint& checkpoint, const SpecialTokens& specials, ModelSpec& spec) {
  for (const char* file : {"tokenizer_config.json", "special_tokens_map.json"}) {
    const auto tree = read_text(checkpoint, file);
    if (tree && spec.mask < 0) spec.mask = specials.find(role(*tree, "mask_token"));
  }
}

}  // namespace

Status read_hf_spec(const Checkpoint& checkpoint, const Family& family, SpecialTokens& specials, ModelSpec& spec) {
  const auto config = read_text(checkpoint, "config.json");
  if (!config) return config.status();
  if (const auto status = read_sizes(*config, family.dialect, spec); !status) return status.in("config.json");
  if (const auto status = read_hf_experts(*config, family.form.router, spec.experts); !status)
    return status.in("config.json");
  if (const auto status = read_arithmetic(*config, spec); !status) return status.in("config.json");
  if (const auto status = read_specials(checkpoint, spec.vocabulary, specials); !status) return status;
  apply_mask_literals(specials, spec);
  if (const auto status = read_ids(*config, spec); !status) return status.in("config.json");
  read_mask_token(checkpoint, specials, spec);
  read_bos_token(checkpoint, specials);
  read_presence(checkpoint, *family.names, spec);
  if (const auto tied = json_bool(*config, names_of(family.dialect).tied)) spec.tied_head = *tied;
  if (!spec.ffn_bias && !json_bool(*config, "mlp_bias").value_or(false)) specials.marker = kUnbiased;
  if (const auto status = read_attention(*config, spec); !status) return status.in("config.json");
  apply_fill_tags(family, specials, spec);
  return read_switches(*config, spec).in("config.json");
}

}  // namespace cinnabar::engine
