#include "engine/model/families.h"

#include <array>
#include <nlohmann/json.hpp>

#include "engine/model/json.h"

namespace cinnabar::engine {
namespace {

constexpr TensorNames kGguf = {
    .layer = "blk.",
    .embedding = "token_embd.weight",
    .final_norm = "output_norm",
    .head = "output",
    .attention_norm = "attn_norm",
    .query_norm = "attn_q_norm",
    .key_norm = "attn_k_norm",
    .ffn_norm = "ffn_norm",
    .products = {{"attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"}},
    .fused_qkv = "attn_qkv",
    .positions = "position_embd",
    .experts = {.router = "ffn_gate_inp",
                .choice_bias = "exp_probs_b.bias",
                .parts = {"ffn_gate_exps", "ffn_up_exps", "ffn_down_exps"},
                .shared_parts = {"ffn_gate_shexp", "ffn_up_shexp", "ffn_down_shexp"}}};
constexpr std::array<std::string_view, 3> kParts = {"gate_proj", "up_proj", "down_proj"};
constexpr TensorNames kHuggingFace = {
    .layer = "layers.",
    .embedding = "embed_tokens.weight",
    .final_norm = "norm",
    .head = "lm_head",
    .attention_norm = "input_layernorm",
    .query_norm = "self_attn.q_norm",
    .key_norm = "self_attn.k_norm",
    .ffn_norm = "post_attention_layernorm",
    .products = {{"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj",
                  "mlp.up_proj", "mlp.down_proj"}},
    .experts = {.router = "mlp.gate",
                .prefix = "mlp.experts.",
                .shared_prefix = "mlp.shared_expert.",
                .parts = kParts,
                .shared_parts = kParts}};
// OLMo's names; the layer's ff_out is the down projection, the one outside of the layers is the head.
constexpr TensorNames kLlada = {
    .layer = "blocks.",
    .embedding = "wte.weight",
    .final_norm = "ln_f",
    .head = "ff_out",
    .attention_norm = "attn_norm",
    .query_norm = "q_norm",
    .key_norm = "k_norm",
    .ffn_norm = "ff_norm",
    .products = {{"q_proj", "k_proj", "v_proj", "attn_out", "ff_proj", "up_proj", "ff_out"}}};

constexpr TensorNames starcoder2_names() {
  TensorNames names = kHuggingFace;
  names.products = {
      {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "", "mlp.c_fc", "mlp.c_proj"}};
  names.experts = {};
  return names;
}
constexpr TensorNames kStarCoder2 = starcoder2_names();
// GPT-2's; StarCoder's differ in that its matrices are not transposed.
constexpr TensorNames gpt2_names(bool transposed) {
  return {.layer = "h.",
          .embedding = "wte.weight",
          .final_norm = "ln_f",
          .head = "lm_head",
          .attention_norm = "ln_1",
          .query_norm = "attn.q_norm",
          .key_norm = "attn.k_norm",
          .ffn_norm = "ln_2",
          .products = {{"", "", "", "attn.c_proj", "", "mlp.c_fc", "mlp.c_proj"}},
          .fused_qkv = "attn.c_attn",
          .positions = "wpe",
          .transposed = transposed,
          .ignored = {".attn.bias", ".attn.masked_bias"}};
}
constexpr TensorNames kGpt2 = gpt2_names(true), kStarCoder = gpt2_names(false);

constexpr TensorNames kLlada2 = {
    .layer = "layers.",
    .embedding = "word_embeddings.weight",
    .final_norm = "norm",
    .head = "lm_head",
    .attention_norm = "input_layernorm",
    .query_norm = "attention.query_layernorm",
    .key_norm = "attention.key_layernorm",
    .ffn_norm = "post_attention_layernorm",
    .products = {{"", "", "", "attention.dense", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"}},
    .fused_qkv = "attention.query_key_value",
    .experts = {.router = "mlp.gate",
                .choice_bias = "mlp.gate.expert_bias",
                .prefix = "mlp.experts.",
                .shared_prefix = "mlp.shared_experts.",
                .parts = kParts,
                .shared_parts = kParts}};
// DiT as the repositories of MDLM and BD3-LM have it.
constexpr TensorNames kDit = {.layer = "blocks.",
                              .embedding = "vocab_embed.embedding",
                              .final_norm = "output_layer.norm_final",
                              .head = "output_layer.linear",
                              .attention_norm = "norm1",
                              .query_norm = "q_norm",
                              .key_norm = "k_norm",
                              .ffn_norm = "norm2",
                              .products = {{"", "", "", "attn_out", "", "mlp.0", "mlp.2"}},
                              .fused_qkv = "attn_qkv",
                              .condition = "sigma_map",
                              .modulation = "adaLN_modulation",
                              .final_modulation = "output_layer.adaLN_modulation",
                              .ignored = {"sampling_eps_min", "sampling_eps_max"}};

constexpr auto kHf = ConfigDialect::hugging_face;
constexpr LayerForm kNoGate = {.layer_norm = true, .gated_ffn = false};
constexpr LayerForm kDitForm = {.layer_norm = true, .gated_ffn = false, .bos_first = true};
constexpr LayerForm kMixture = {.router = {.has_experts = true}};
constexpr LayerForm kPlainMixture = {.router = {.has_experts = true, .renormalise = false}};
constexpr LayerForm kSigmoidMixture = {.router = {.has_experts = true, .sigmoid = true, .renormalise = true}};
constexpr LayerForm kGpt2Form = {.layer_norm = true, .gated_ffn = false, .learned_positions = true};
constexpr auto kFull = Attention::full;
constexpr auto kCausal = Attention::block_causal;
constexpr auto kBlocks = Attention::blocks;

// Shift, attention and mask ids: the models' own code and cards; autoregressive classes are block-causal with the
// shift.
//  name          gguf     architecture                  model_type      dialect names          attention shift B mask
//  interleaved expand sub-block bos form
constexpr std::array kFamilies = {
    Family{"qwen2", "qwen2", "Qwen2ForCausalLM", "qwen2", kHf, &kHuggingFace, kCausal, 1, 32, -1, false, false, 0, ""},
    Family{"qwen3", "qwen3", "Qwen3ForCausalLM", "qwen3", kHf, &kHuggingFace, kCausal, 1, 32, -1, false, false, 0, ""},
    Family{"llama", "llama", "LlamaForCausalLM", "llama", kHf, &kHuggingFace, kCausal, 1, 32, -1, true, false, 0, ""},
    Family{"mistral", "", "MistralForCausalLM", "mistral", kHf, &kHuggingFace, kCausal, 1, 32, -1, false, false, 0, ""},
    Family{"starcoder2", "starcoder2", "Starcoder2ForCausalLM", "starcoder2", kHf, &kStarCoder2, kCausal, 1, 32, -1,
           false, false, 0, "", kNoGate},
    Family{"gpt2", "gpt2", "GPT2LMHeadModel", "gpt2", ConfigDialect::gpt2, &kGpt2, kCausal, 1, 32, -1, false, false, 0,
           "", kGpt2Form},
    Family{"starcoder", "starcoder", "GPTBigCodeForCausalLM", "gpt_bigcode", ConfigDialect::gpt2, &kStarCoder, kCausal,
           1, 32, -1, false, false, 0, "", kGpt2Form},
    Family{"dream", "dream", "DreamModel", "Dream", kHf, &kHuggingFace, kFull, 1, 32, 151666, false, true, 0,
           "<|beginoftext|>"},
    Family{"coda", "", "CoDALanguageModel", "CoDA", kHf, &kHuggingFace, kFull, 1, 32, 151669, false, false, 0, ""},
    Family{"llada", "llada", "LLaDAModelLM", "llada", ConfigDialect::olmo, &kLlada, kFull, 0, 32, 126336, true, false,
           0, "<|startoftext|>"},
    Family{"fast-dllm", "", "Fast_dLLM_QwenForCausalLM", "Fast_dLLM_Qwen", kHf, &kHuggingFace, kBlocks, 1, 32, 151665,
           false, false, 8, ""},
    Family{"a2d-qwen2", "", "", "a2d-qwen2", kHf, &kHuggingFace, kFull, 0, 32, -1, false, false, 0, ""},
    Family{"a2d-qwen3", "", "", "a2d-qwen3", kHf, &kHuggingFace, kFull, 0, 32, -1, false, false, 0, ""},
    Family{"sdar", "", "SDARForCausalLM", "sdar", kHf, &kHuggingFace, kBlocks, 0, 4, 151669, false, false, 0, ""},
    // The class tells it from Seed-Coder, whose vocabulary has the mask's literal, too.
    Family{"stable-diffcoder", "", "StableDiffcoderForCausalLM", "stable_diffcoder", kHf, &kHuggingFace, kBlocks, 0, 4,
           5, false, false, 0, ""},
    Family{"qwen3-moe", "qwen3moe", "Qwen3MoeForCausalLM", "qwen3_moe", kHf, &kHuggingFace, kCausal, 1, 32, -1, false,
           false, 0, "", kMixture},
    Family{"sdar-moe", "", "SDARMoeForCausalLM", "sdar_moe", kHf, &kHuggingFace, kBlocks, 0, 4, 151669, false, false, 0,
           "", kMixture},
    Family{"llada-moe", "llada-moe", "LLaDAMoEModelLM", "lladamoe", kHf, &kHuggingFace, kFull, 0, 32, 156895, false,
           false, 0, "<|startoftext|>", kPlainMixture},
    Family{"llada2", "", "LLaDA2MoeModelLM", "llada2_moe", kHf, &kLlada2, kBlocks, 0, 32, 156895, false, false, 0,
           "<|startoftext|>", kSigmoidMixture},
    // GPT-2's vocabulary and one token more, the mask; texts begin and end with <|endoftext|>.
    Family{"mdlm", "", "MDLM", "mdlm", ConfigDialect::dit, &kDit, kFull, 0, 32, 50257, false, false, 0, "<|endoftext|>",
           kDitForm},
    Family{"bd3lm", "", "BD3LM", "bd3lm", ConfigDialect::dit, &kDit, kBlocks, 0, 16, 50257, false, false, 0,
           "<|endoftext|>", kDitForm},
};

// Dream: generation_utils (steps by its time steps). DreamOn: one position a step, the least entropy first, over all of the
// hole. SDAR: low_confidence_dynamic. LLaDA and Fast-dLLM: the decoder's own threshold.
constexpr std::array kDenoising = {
    FamilyDenoising{"dream", false, {.schedule = Quota::timestep}},
    FamilyDenoising{
        "dream",
        true,
        {.quota = 1, .schedule = Quota::timestep, .confidence = Confidence::negative_entropy, .block = 1024}},
    FamilyDenoising{"sdar", false, {.threshold = 0.85f}},
};

constexpr std::array kMaskLiterals = {MaskLiteral{"<M>", kFull, 1, 32, true}};  // Open-dCoder

constexpr auto kPrefixFirst = InfillLayout::prefix_then_suffix;
constexpr auto kSuffixFirst = InfillLayout::suffix_tag_first;
constexpr std::array kFillTags = {
    FillTags{"", "", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", kPrefixFirst},  // Qwen, CodeGemma
    FillTags{"", "mellum", "<fim_prefix>", "<fim_suffix>", "<fim_middle>", kSuffixFirst},
    FillTags{"", "mellum2", "<fim_prefix>", "<fim_suffix>", "<fim_middle>", kSuffixFirst},
    // Mellum's folders; Granite's and StarCoder's differ from it by their layers' biases.
    FillTags{"llama", kUnbiased, "<fim_prefix>", "<fim_suffix>", "<fim_middle>", kSuffixFirst},
    FillTags{"", "", "<fim_prefix>", "<fim_suffix>", "<fim_middle>", kPrefixFirst},        // StarCoder, Granite
    FillTags{"", "", "<[fim-prefix]>", "<[fim-suffix]>", "<[fim-middle]>", kSuffixFirst},  // Seed-Coder and its like
    FillTags{"", "", "<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>", kPrefixFirst},  // DeepSeek
    FillTags{"", "", "▁<PRE>", "▁<SUF>", "▁<MID>", kPrefixFirst, true},                    // Code Llama
    FillTags{"", "", "[PREFIX]", "[SUFFIX]", "", kSuffixFirst},                            // Codestral
};

// Classes that are known, and why they are not read.
struct Unread {
  std::string_view name, why;
};
constexpr std::string_view kExperts = "a mixture of experts, which is not read; a dense model of its family is";
constexpr std::array kUnread = {
    Unread{"WeDLMForCausalLM", "it reorders its canvas while it decodes, which is not done here"},
    Unread{"DiffusionGemmaForBlockDiffusion", "it denoises random tokens, not masks, which is not done here"},
};

// A sentence's end about a class, type or architecture that is not read; empty: nothing is known about it.
std::string why_unread(std::string_view name) {
  for (const auto& row : kUnread)
    if (row.name == name) return " (" + std::string(row.why) + ")";
  std::string small(name);
  for (char& c : small) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  const bool experts = small.find("moe") != std::string::npos || small.find("mixtral") != std::string::npos;
  return experts ? " (" + std::string(kExperts) + ")" : "";
}

std::string supported(bool gguf) {
  std::string text;
  for (const auto& row : kFamilies) {
    const auto name = gguf ? row.gguf : row.architecture.empty() ? row.model_type : row.architecture;
    if (!name.empty()) text += (text.empty() ? "" : ", ") + std::string(name);
  }
  return text;
}

Result<const Family*> find_gguf(const Checkpoint& checkpoint) {
  const auto found = checkpoint.metadata.find("general.architecture");
  const auto* name = found == checkpoint.metadata.end() ? nullptr : std::get_if<std::string>(&found->second);
  if (!name) return Status::error("key 'general.architecture' is missing");
  for (const auto& row : kFamilies)
    if (!row.gguf.empty() && row.gguf == *name) return &row;
  return Status::error("architecture " + shown_name(*name) + " is not supported" + why_unread(*name) +
                       "; expected one of " + supported(true));
}

Result<const Family*> find_hugging_face(const Checkpoint& checkpoint) {
  const auto text = checkpoint.texts.find("config.json");
  if (text == checkpoint.texts.end()) return Status::error("config.json is missing");
  const auto config = parse_json(text->second);
  if (!config) return config.status().in("config.json");
  std::string architecture;
  if (config->is_object() && config->contains("architectures")) {
    const auto& list = (*config)["architectures"];
    if (list.is_array() && !list.empty() && list[0].is_string()) architecture = list[0].get<std::string>();
  }
  const auto model_type = json_string(*config, "model_type").value_or("");
  for (const auto& row : kFamilies)
    if (!row.architecture.empty() && row.architecture == architecture) return &row;
  // The type alone decides only where the class says nothing: mixture-of-experts models reuse the dense ones' type.
  for (const auto& row : kFamilies)
    if (row.model_type == model_type && (architecture.empty() || row.architecture.empty())) return &row;
  const bool sedd = config->contains("graph") && config->contains("noise") && architecture.empty();
  if (sedd)
    return Status::error(
        "config.json: a SEDD model (score entropy) is not supported: its layers are told the noise level at every "
        "step; "
        "expected one of " +
        supported(false));
  if (architecture.empty() && model_type.empty())
    return Status::error(
        "config.json names neither 'architectures' nor 'model_type', so this model's kind is not "
        "known and not supported; expected one of " +
        supported(false));
  const std::string why = why_unread(architecture).empty() ? why_unread(model_type) : why_unread(architecture);
  return Status::error("config.json: architecture " + shown_name(architecture) + " of model_type " +
                       shown_name(model_type) + " is not supported" + why + "; expected one of " + supported(false));
}

}  // namespace

const TensorNames& gguf_names() { return kGguf; }
const TensorNames& hugging_face_names() { return kHuggingFace; }
std::span<const Family> families() { return kFamilies; }
std::span<const FamilyDenoising> family_denoising() { return kDenoising; }
std::span<const MaskLiteral> mask_literals() { return kMaskLiterals; }
std::span<const FillTags> fill_tags() { return kFillTags; }

Result<const Family*> find_family(const Checkpoint& checkpoint) {
  const bool gguf = checkpoint.kind == Checkpoint::Kind::gguf;
  const auto family = gguf ? find_gguf(checkpoint) : find_hugging_face(checkpoint);
  return family ? family : Result<const Family*>(family.status().in(checkpoint.source));
}

std::string tensor_prefix(const Checkpoint& checkpoint, const TensorNames& names) {
  const std::string_view suffix = names.embedding;
  std::string shortest;
  bool any = false;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    if (!name.ends_with(suffix)) continue;
    const std::string prefix = name.substr(0, name.size() - suffix.size());
    if (!prefix.empty() && prefix.back() != '.') continue;
    if (!any || prefix.size() < shortest.size()) shortest = prefix;
    any = true;
  }
  return shortest;
}

}  // namespace cinnabar::engine
