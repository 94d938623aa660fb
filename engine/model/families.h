// Model families as rows of data: how a family is recognised, its defaults, and what its tensors are called. A new
// family is a new row in families.cc; nothing else knows a family's name.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/model/checkpoint.h"
#include "engine/model/model_spec.h"
#include "engine/model/products.h"

namespace cinnabar::engine {

// What the configuration calls a model's sizes.
enum class ConfigDialect : std::uint8_t { hugging_face, olmo, gpt2, dit };

// What a layer's experts are called: PREFIX + number + "." + a part in folders, one stacked tensor a part in GGUF.
struct ExpertNames {
  std::string_view router = {}, choice_bias = {};  // the latter's name is whole
  std::string_view prefix = {};                    // empty: stacked
  std::string_view shared_prefix = {};             // before a part; empty: before a stacked part's own name
  std::array<std::string_view, 3> parts = {}, shared_parts = {};  // gate, up, down
};

// A family's tensor names: `layer` + number + "." + one of the others, or PREFIX + final_norm and so on, each with
// ".weight" or ".bias" behind it, but for the embedding, whose name is whole.
struct TensorNames {
  std::string_view layer, embedding, final_norm, head;
  std::string_view attention_norm, query_norm, key_norm, ffn_norm;
  PerProduct<std::string_view> products;
  std::string_view fused_qkv = {};  // one matrix of query, key and value rows, where a file has it; empty: none
  std::string_view positions = {};  // table of learned positions
  // DiT's network of the noise level (two products, each behind the other, are .mlp.0 and .mlp.2 of it), and a layer's
  // product of its vector.
  std::string_view condition = {}, modulation = {}, final_modulation = {};
  ExpertNames experts = {};
  bool transposed = false;  // the layers' matrices are [inputs, outputs]
  // Ends of the names of tensors that hold no weights: masks, tables that the code computes.
  std::array<std::string_view, 2> ignored = {};
};
const TensorNames& gguf_names();
const TensorNames& hugging_face_names();  // of most folders, and of adapters' folders

// How a family's router weighs, where the file does not say.
struct RouterForm {
  bool has_experts = false, sigmoid = false;
  std::optional<bool> renormalise = {};  // empty: as the file says, else no
};

// What tells a family's layers from Llama's; ModelSpec has the same fields.
struct LayerForm {
  bool layer_norm = false, gated_ffn = true, learned_positions = false;
  RouterForm router = {};
  bool bos_first = false;  // a text was never trained to begin without it
};

struct Family {
  std::string_view name;          // for messages
  std::string_view gguf;          // general.architecture; empty: not in GGUF
  std::string_view architecture;  // config.json's architectures[0]; empty: recognised by model_type only
  std::string_view model_type;    // config.json's model_type
  ConfigDialect dialect;
  const TensorNames* names;  // in a Hugging Face folder
  Attention attention;
  int logits_shift;
  int block_length;
  std::int32_t mask;           // -1: from the file or none
  bool rope_interleaved_gguf;  // the GGUF converter permutes query and key rows
  bool trained_expand;         // <|expand|> in the tokenizer means DreamOn's length control
  int sub_block;               // ModelSpec::sub_block
  std::string_view bos;        // literal of the token that prompts begin with, where the tokenizer has it
  LayerForm form = {};
};
std::span<const Family> families();

// What a family's authors decode with. `expands`: of models with ModelSpec::expand, or of those without.
struct FamilyDenoising {
  std::string_view family;
  bool expands;
  DenoiseOptions options;
};
std::span<const FamilyDenoising> family_denoising();

// A plain autoregressive class that a mask token in its tokenizer turns into a diffusion model.
struct MaskLiteral {
  std::string_view literal;
  Attention attention;
  int logits_shift;
  int block_length;
  bool bare_canvas;
};
std::span<const MaskLiteral> mask_literals();

// Tags around a hole and the order a model was trained with. The first row whose tags are all in the tokenizer holds.
struct FillTags {
  std::string_view family;  // of this family alone; empty: of any
  // Of GGUF files with this tokenizer.ggml.pre alone, or of folders whose layers have no biases (kUnbiased); empty: any.
  std::string_view marker;
  std::string_view prefix, suffix, middle;  // literals; empty: the layout has none
  InfillLayout layout;
  bool spaced_prefix = false;
};
inline constexpr std::string_view kUnbiased = "unbiased";
std::span<const FillTags> fill_tags();

// The row for the checkpoint: by GGUF general.architecture, or config.json's architectures, then model_type. The error
// names what was found and what is supported.
Result<const Family*> find_family(const Checkpoint& checkpoint);

// The text before the first layer-independent name, found by the embedding's name ("model." of
// "model.embed_tokens.weight"); custom-code repositories differ in it.
std::string tensor_prefix(const Checkpoint& checkpoint, const TensorNames& names);

}  // namespace cinnabar::engine
