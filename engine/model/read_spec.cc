// read_spec (weights.h): the family's row, then what the file says, then what follows from the tokens it has.
#include <algorithm>
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
  // A chat model's end token ends a turn; a text that fills a hole ends as texts did in pre-training.
  if (const std::int32_t end = specials.find("<|endoftext|>"); end >= 0) spec.end_of_text = end;
  fill(spec.fim_prefix, specials, {"<|fim_prefix|>", "<fim_prefix>"});
  fill(spec.fim_middle, specials, {"<|fim_middle|>", "<fim_middle>"});
  fill(spec.fim_suffix, specials, {"<|fim_suffix|>", "<fim_suffix>"});
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
  }
}

std::int32_t SpecialTokens::find(std::string_view literal) const {
  const auto found = ids.find(literal);
  return found == ids.end() ? -1 : found->second;
}

Status parse_attention(std::string_view text, ModelSpec& spec) {
  if (text != "full" && text != "block_causal")
    return Status::error("attention: expected 'full' or 'block_causal', found " + shown_name(text));
  spec.attention = text == "full" ? Attention::full : Attention::block_causal;
  return {};
}

Status parse_infill(std::string_view text, ModelSpec& spec) {
  if (text != "in_place" && text != "suffix_then_prefix")
    return Status::error("infill layout: expected 'in_place' or 'suffix_then_prefix', found " + shown_name(text));
  spec.infill = text == "in_place" ? InfillLayout::in_place : InfillLayout::suffix_then_prefix;
  return {};
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
  if (const auto status = validate(spec); !status) return status.in(checkpoint.source);
  return spec;
}

}  // namespace cinnabar::engine
