// The two places a model's configuration comes from, and what both share. Used by read_spec (weights.h) only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/model/checkpoint.h"
#include "engine/model/families.h"
#include "engine/model/model_spec.h"

namespace cinnabar::engine {

// Tokens with a role of their own, by their literal text.
struct SpecialTokens {
  std::map<std::string, std::int32_t, std::less<>> ids;
  std::vector<std::int32_t> unusable;  // control and unused ones: never text
  std::string marker;                  // FillTags::marker
  std::string bos;                     // the tokenizer's own word for it
  std::optional<bool> add_bos;         // whether the tokenizer puts it in front

  std::int32_t find(std::string_view literal) const;  // -1: none
};

// Fill `spec` (preset with the family's defaults) from the file's own configuration. Sizes are not yet validated.
Status read_gguf_spec(const Checkpoint& checkpoint, const Family& family, SpecialTokens& specials, ModelSpec& spec);
Status read_hf_spec(const Checkpoint& checkpoint, const Family& family, SpecialTokens& specials, ModelSpec& spec);

// An autoregressive class with a diffusion model's mask token: mask, attention and shift from mask_literals(). Called
// before the file's own switches are read, which override it.
void apply_mask_literals(const SpecialTokens& specials, ModelSpec& spec);

// The tags and the order of the first row that the tokenizer has all tags of; else in place or the prefix alone, by the
// attention. Keys of the file's own override it.
void apply_fill_tags(const Family& family, const SpecialTokens& specials, ModelSpec& spec);

// Sets what the tensors' presence says: biases, norms of heads, a head of its own.
void read_presence(const Checkpoint& checkpoint, const TensorNames& names, ModelSpec& spec);

// Sets `attention` or `infill` from its name.
Status parse_attention(std::string_view text, ModelSpec& spec);
Status parse_infill(std::string_view text, ModelSpec& spec);  // by parse_infill_layout

// `value` as an int, or an error that names `what`.
Result<int> checked_int(std::string_view what, std::int64_t value);

}  // namespace cinnabar::engine
