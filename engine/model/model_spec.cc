#include "engine/model/model_spec.h"

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
                             Range{"block_length", s.block_length, 1, 1024}};
  for (const auto& range : ranges)
    if (const auto status = check(range); !status) return status;
  if (s.heads % s.kv_heads != 0)
    return Status::error("kv_heads: expected a divisor of heads (" + std::to_string(s.heads) + "), found " +
                         std::to_string(s.kv_heads));
  if (s.head_size % 2 != 0)
    return Status::error("head_size: expected an even number, found " + std::to_string(s.head_size));
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

Status validate(const ModelSpec& spec) {
  if (const auto status = check_sizes(spec); !status) return status;
  if (!(spec.norm_epsilon > 0 && spec.norm_epsilon < 1))
    return Status::error("norm_epsilon: expected a number between 0 and 1, found " + std::to_string(spec.norm_epsilon));
  if (!(spec.rope_theta >= 1 && std::isfinite(spec.rope_theta)))
    return Status::error("rope_theta: expected a number from 1, found " + std::to_string(spec.rope_theta));
  return check_ids(spec);
}

}  // namespace cinnabar::engine
