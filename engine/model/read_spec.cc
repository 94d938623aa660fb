// read_spec (weights.h): the family's row, then what the file says, then what follows from the tokens it has.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <set>

#include "engine/model/spec_source.h"
#include "engine/model/weights.h"

namespace cinnabar::engine {
namespace {

ModelSpec defaults(const Family& family, bool gguf) {
  ModelSpec spec;
  spec.family = family.name;
  spec.attention = family.attention;
  spec.logits_shift = family.logits_shift;
  spec.block_length = family.block_length;
  spec.sub_block = family.sub_block;
  spec.layer_norm = family.form.layer_norm;
  spec.gated_ffn = family.form.gated_ffn;
  spec.learned_positions = spec.context_is_limit = family.form.learned_positions;
  spec.experts.sigmoid = family.form.router.sigmoid;
  spec.experts.renormalise = family.form.router.renormalise.value_or(gguf);  // llama.cpp's qwen3moe always does
  spec.rope_interleaved = gguf && family.rope_interleaved_gguf;
  return spec;
}

// Id of the first literal that the tokenizer knows, when none is set yet.
void fill(std::int32_t& id, const SpecialTokens& specials, std::initializer_list<std::string_view> literals) {
  for (const auto literal : literals)
    if (id < 0) id = specials.find(literal);
}

void fill_ids(const Family& family, const SpecialTokens& specials, ModelSpec& spec) {
  fill(spec.mask, specials, {"<|mask|>", "<|mdm_mask|>", "|<MASK>|", "[MASK]"});
  if (spec.mask < 0 && family.mask < spec.vocabulary) spec.mask = family.mask;
  // The tokenizer's word wins over config.json's, which often is its base model's.
  const std::int32_t family_bos = specials.find(family.bos), own_bos = specials.find(specials.bos);
  if (family_bos >= 0 || own_bos >= 0) spec.bos = family_bos >= 0 ? family_bos : own_bos;
  spec.bos_first = spec.bos >= 0 && (specials.add_bos.value_or(false) || family.form.bos_first);
  // A chat model's end token ends a turn; a text that fills a hole ends as texts did in pre-training.
  if (const std::int32_t end = specials.find("<|endoftext|>"); end >= 0) spec.end_of_text = end;
  if (family.trained_expand && specials.find("<|expand|>") >= 0) {
    fill(spec.expand, specials, {"<|expand|>"});
    fill(spec.erase, specials, {"<|delete|>"});
    if (spec.erase < 0) spec.erase = spec.end_of_text;  // DreamOn's released code: delete is the end token
  }
}

void fill_never_generated(const SpecialTokens& specials, ModelSpec& spec) {
  std::set<std::int32_t> never(specials.unusable.begin(), specials.unusable.end());
  never.insert(spec.mask);
  never.insert({spec.fim_prefix, spec.fim_middle, spec.fim_suffix});
  for (const std::int32_t id : {-1, spec.end_of_text, spec.hole_end, spec.expand, spec.erase}) never.erase(id);
  spec.never_generated.assign(never.begin(), never.end());
}

}  // namespace

void apply_mask_literals(const SpecialTokens& specials, ModelSpec& spec) {
  for (const auto& row : mask_literals()) {
    if (specials.find(row.literal) < 0 || spec.mask >= 0) continue;
    spec.mask = specials.find(row.literal);
    spec.attention = row.attention;
    spec.logits_shift = row.logits_shift;
    spec.block_length = row.block_length;
    spec.bare_canvas = row.bare_canvas;
  }
}

void apply_fill_tags(const Family& family, const SpecialTokens& specials, ModelSpec& spec) {
  spec.infill = spec.attention == Attention::full ? InfillLayout::in_place : InfillLayout::prefix_only;
  const auto has = [&](std::string_view literal) { return literal.empty() || specials.find(literal) >= 0; };
  for (const auto& row : fill_tags()) {
    if (!row.family.empty() && row.family != family.name) continue;
    if (!row.marker.empty() && row.marker != specials.marker) continue;
    if (!has(row.prefix) || !has(row.suffix) || !has(row.middle)) continue;
    spec.fim_prefix = specials.find(row.prefix);
    spec.fim_suffix = specials.find(row.suffix);
    spec.fim_middle = specials.find(row.middle);
    if (spec.attention == Attention::full) return;
    spec.infill = row.layout;
    spec.spaced_prefix = row.spaced_prefix;
    return;
  }
}

std::int32_t SpecialTokens::find(std::string_view literal) const {
  const auto found = ids.find(literal);
  return found == ids.end() ? -1 : found->second;
}

void read_presence(const Checkpoint& checkpoint, const TensorNames& names, ModelSpec& spec) {
  const std::string prefix = tensor_prefix(checkpoint, names);
  const auto has = [&](std::string_view part, const char* kind) {
    return !part.empty() && checkpoint.find(prefix + std::string(names.layer) + "0." + std::string(part) + kind);
  };
  spec.qkv_bias = has(names.products[Product::query], ".bias") || has(names.fused_qkv, ".bias");
  spec.attention_output_bias = has(names.products[Product::attention_output], ".bias");
  spec.ffn_bias = has(names.products[Product::up], ".bias");
  spec.qk_norm = has(names.query_norm, ".weight");
  const std::string router = prefix + std::string(names.layer) + std::to_string(spec.experts.dense_layers) + ".";
  spec.experts.choice_bias =
      !names.experts.choice_bias.empty() && checkpoint.find(router + std::string(names.experts.choice_bias)) != nullptr;
  const Tensor* condition = checkpoint.find(prefix + std::string(names.condition) + ".mlp.0.weight");
  if (condition && !condition->shape.empty())
    spec.conditioning = static_cast<int>(std::min<std::int64_t>(condition->shape[0], INT32_MAX));
  const auto has_head = [&](const char* kind) {
    return checkpoint.find(prefix + std::string(names.head) + kind) || checkpoint.find(std::string(names.head) + kind);
  };
  spec.tied_head = !has_head(".weight");
  spec.head_bias = has_head(".bias");
}

Status parse_attention(std::string_view text, ModelSpec& spec) {
  for (const Attention attention : {Attention::full, Attention::block_causal, Attention::blocks}) {
    if (text != name(attention)) continue;
    spec.attention = attention;
    return {};
  }
  return Status::error("attention: expected 'full', 'block_causal' or 'blocks', found " + shown_name(text));
}

Result<InfillLayout> parse_infill_layout(std::string_view text) {
  std::string known;
  for (const InfillLayout layout : {InfillLayout::in_place, InfillLayout::prefix_only, InfillLayout::suffix_then_prefix,
                                    InfillLayout::prefix_then_suffix, InfillLayout::suffix_tag_first}) {
    known += (known.empty() ? "" : ", ") + std::string(name(layout));
    if (text == name(layout)) return layout;
  }
  return Status::error("infill layout: expected one of " + known + ", found " + shown_name(text));
}

Status parse_infill(std::string_view text, ModelSpec& spec) {
  const auto layout = parse_infill_layout(text);
  if (layout) spec.infill = *layout;
  return layout.status();
}

Result<int> checked_int(std::string_view what, std::int64_t value) {
  if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max())
    return Status::error(std::string(what) + ": the number " + std::to_string(value) + " is out of range");
  return static_cast<int>(value);
}

Result<ModelSpec> read_spec(const Checkpoint& checkpoint) {
  const auto family = find_family(checkpoint);
  if (!family) return family.status();
  const bool gguf = checkpoint.kind == Checkpoint::Kind::gguf;
  ModelSpec spec = defaults(**family, gguf);
  SpecialTokens specials;
  const auto read = gguf ? read_gguf_spec : read_hf_spec;
  if (const auto status = read(checkpoint, **family, specials, spec); !status) return status.in(checkpoint.source);
  fill_ids(**family, specials, spec);
  fill_never_generated(specials, spec);
  for (const FamilyDenoising& row : family_denoising())
    if (row.family == spec.family && row.expands == (spec.expand >= 0)) spec.denoise = row.options;
  if (const auto status = validate(spec); !status) return status.in(checkpoint.source);
  return spec;
}

}  // namespace cinnabar::engine
