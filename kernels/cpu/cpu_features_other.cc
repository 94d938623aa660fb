#include "kernels/cpu/cpu_features.h"

namespace cinnabar::kernels::cpu {

std::string missing_features(Isa isa) {
  if (isa == Isa::plain) return "";
  return isa <= Isa::neon_i8mm ? "aarch64" : "x86-64";
}

Forms forms_of(Isa) {
  const LaneOps& ops = lane_ops_plain();
  return {ops, {ops.product_f32, ops.product_bf16, ops.product_int8}, ops.attention};
}

// Denormals are only slow.
void spin_hint() {}
std::uint64_t flush_denormals() { return 0; }
void restore_denormals(std::uint64_t) {}

}  // namespace cinnabar::kernels::cpu
