#include "engine/model/model_spec.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace cinnabar::engine {
namespace {

struct Range {
  std::string_view field;
  std::int64_t value, low, high;
};

Status check(const Range& range) {
  if (range.value >= range.low && range.value <= range.high) return {};
  return Status::error(std::string(range.field) + ": expected " + std::to_string(range.low) + " to " +
                       std::to_string(range.high) + ", found " + std::to_string(range.value));
}

Status check_sizes(const ModelSpec& s) {
  const std::array ranges = {Range{"layers", s.layers, 1, 1024},
                             Range{"width", s.width, 1, 1 << 17},
                             Range{"heads", s.heads, 1, 4096},
                             Range{"kv_heads", s.kv_heads, 1, 4096},
                             Range{"head_size", s.head_size, 2, 256},
                             Range{"ffn", s.ffn, 1, 1 << 20},
                             Range{"vocabulary", s.vocabulary, 1, 1 << 21},
                             Range{"context", s.context, 1, 1 << 24},
                             Range{"logits_shift", s.logits_shift, 0, 1},
                             Range{"block_length", s.block_length, 1, 1024},
                             Range{"sub_block", s.sub_block, 0, 1024},
                             Range{"rotary", s.rotary, 0, s.head_size},
                             Range{"conditioning", s.conditioning, 0, 1 << 14}};
  for (const auto& range : ranges)
    if (const auto status = check(range); !status) return status;
  if (s.heads % s.kv_heads != 0)
    return Status::error("kv_heads: expected a divisor of heads (" + std::to_string(s.heads) + "), found " +
                         std::to_string(s.kv_heads));
  if (s.head_size % 2 != 0)
    return Status::error("head_size: expected an even number, found " + std::to_string(s.head_size));
  return {};
}

Status check_experts(const Experts& e, int layers) {
  if (e.count == 0) return {};
  const std::array ranges = {Range{"experts", e.count, 1, 4096},
                             Range{"experts used", e.used, 1, std::min(e.count, 64)},
                             Range{"width of an expert", e.ffn, 1, 1 << 20},
                             Range{"width of shared experts", e.shared_ffn, 0, 1 << 20},
                             Range{"dense layers", e.dense_layers, 0, layers},
                             Range{"groups of experts", e.groups, 1, e.count},
                             Range{"groups of experts used", e.groups_used, 1, e.groups}};
  for (const auto& range : ranges)
    if (const auto status = check(range); !status) return status;
  if (e.count % e.groups != 0)
    return Status::error("groups of experts: expected a divisor of " + std::to_string(e.count) + ", found " +
                         std::to_string(e.groups));
  if (const int open = e.count / e.groups * e.groups_used; e.used > open)
    return Status::error("experts used: expected at most the " + std::to_string(open) + " of the groups used, found " +
                         std::to_string(e.used));
  if (!(e.scale > 0 && std::isfinite(e.scale)))
    return Status::error("scale of experts' weights: expected a positive number, found " + std::to_string(e.scale));
  return {};
}

Status check_rope(const ModelSpec& s) {
  if (!(s.rope_theta >= 1 && std::isfinite(s.rope_theta)))
    return Status::error("rope_theta: expected a number from 1, found " + std::to_string(s.rope_theta));
  if (s.rotary % 2 != 0) return Status::error("rotary: expected an even number, found " + std::to_string(s.rotary));
  const int pairs = (s.rotary > 0 ? s.rotary : s.head_size) / 2;
  if (!s.rope_divisors.empty() && s.rope_divisors.size() != static_cast<std::size_t>(pairs))
    return Status::error("rotary scaling: expected " + std::to_string(pairs) + " factors, found " +
                         std::to_string(s.rope_divisors.size()));
  for (const float divisor : s.rope_divisors)
    if (!(divisor > 0 && std::isfinite(divisor)))
      return Status::error("rotary scaling: expected positive factors, found " + std::to_string(divisor));
  if (!(s.rope_magnitude > 0 && std::isfinite(s.rope_magnitude)))
    return Status::error("rotary scaling: expected a positive magnitude, found " + std::to_string(s.rope_magnitude));
  return {};
}

Status check_ids(const ModelSpec& s) {
  const std::int64_t last = s.vocabulary - 1;
  const std::array ids = {Range{"mask", s.mask, -1, last},
                          Range{"bos", s.bos, -1, last},
                          Range{"end_of_text", s.end_of_text, -1, last},
                          Range{"hole_end", s.hole_end, -1, last},
                          Range{"expand", s.expand, -1, last},
                          Range{"erase", s.erase, -1, last},
                          Range{"fim_prefix", s.fim_prefix, -1, last},
                          Range{"fim_middle", s.fim_middle, -1, last},
                          Range{"fim_suffix", s.fim_suffix, -1, last}};
  for (const auto& id : ids)
    if (const auto status = check(id); !status) return status.in("token id");
  for (const std::int32_t id : s.never_generated)
    if (const auto status = check({"never_generated", id, 0, last}); !status) return status.in("token id");
  return {};
}

}  // namespace

std::string_view name(InfillLayout layout) {
  constexpr std::array<std::string_view, 5> kNames = {"in_place", "prefix_only", "suffix_then_prefix",
                                                      "prefix_then_suffix", "suffix_tag_first"};
  return kNames[static_cast<std::size_t>(layout)];
}

std::string_view name(Attention attention) {
  constexpr std::array<std::string_view, 3> kNames = {"full", "block_causal", "blocks"};
  return kNames[static_cast<std::size_t>(attention)];
}

Status check_tokens(const ModelSpec& s) {
  if (s.attention != Attention::block_causal && s.mask < 0)
    return Status::error("the model denoises masks (attention '" + std::string(name(s.attention)) +
                         "'), but no mask token is named in its files; name it in the model's "
                         "configuration: mask_token_id in config.json, tokenizer.ggml.mask_token_id in a GGUF file");
  if (s.infill == InfillLayout::in_place && s.attention != Attention::full)
    return Status::error(
        "the infill layout 'in_place' needs a model of full attention; this one does not see what "
        "stands after a hole on its canvas");
  return check_tags(s);
}

Status check_tags(const ModelSpec& s) {
  const bool tagged = s.infill != InfillLayout::in_place && s.infill != InfillLayout::prefix_only;
  const bool middle = s.fim_middle >= 0 || s.infill == InfillLayout::suffix_tag_first;
  if (tagged && (s.fim_prefix < 0 || s.fim_suffix < 0 || !middle))
    return Status::error(
        "the infill layout '" + std::string(name(s.infill)) +
        "' needs tags for prefix, suffix and middle (<fim_prefix> ...), which the model does not have");
  return {};
}

Status validate(const ModelSpec& spec) {
  if (const auto status = check_sizes(spec); !status) return status;
  if (!(spec.norm_epsilon > 0 && spec.norm_epsilon < 1))
    return Status::error("norm_epsilon: expected a number between 0 and 1, found " + std::to_string(spec.norm_epsilon));
  if (const auto status = check_rope(spec); !status) return status;
  if (const auto status = check_experts(spec.experts, spec.layers); !status) return status;
  return check_ids(spec);
}

}  // namespace cinnabar::engine
