#include "kernels/cpu/cpu_features.h"

namespace cinnabar::kernels::cpu {
namespace {

struct Level {
  Isa isa;
  std::string_view name;
};
constexpr std::array kLevels = {Level{Isa::plain, "plain"},
                                Level{Isa::neon, "neon"},
                                Level{Isa::neon_dot, "neon_dot"},
                                Level{Isa::neon_i8mm, "neon_i8mm"},
                                Level{Isa::avx2, "avx2"},
                                Level{Isa::avx_vnni, "avx_vnni"},
                                Level{Isa::avx512, "avx512"},
                                Level{Isa::avx512_bf16, "avx512_bf16"},
                                Level{Isa::amx, "amx"}};

}  // namespace

std::string_view name(Isa isa) { return kLevels[static_cast<std::size_t>(isa)].name; }

std::optional<Isa> parse_isa(std::string_view text) {
  for (const Level& level : kLevels) {
    if (text == level.name) return level.isa;
  }
  return std::nullopt;
}

std::vector<Isa> available_isas() {
  std::vector<Isa> levels;
  for (const Level& level : kLevels) {
    if (missing_features(level.isa).empty()) levels.push_back(level.isa);
  }
  return levels;
}

}  // namespace cinnabar::kernels::cpu
