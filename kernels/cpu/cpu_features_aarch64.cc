#include "kernels/cpu/arm_features.h"
#include "kernels/cpu/cpu_features.h"

namespace cinnabar::kernels::cpu {
namespace {

const LaneOps& lane_ops(Isa isa) {
  if (isa == Isa::plain) return lane_ops_plain();
  return isa == Isa::neon ? lane_ops_neon() : lane_ops_neon_dot();
}

}  // namespace

std::string missing_features(Isa isa) {
  if (isa == Isa::plain) return "";
  if (isa > Isa::neon_i8mm) return "x86-64";
  std::string missing;
  const auto need = [&](bool has, const char* name) {
    if (!has) missing += (missing.empty() ? "" : " ") + std::string(name);
  };
  const ArmFeatures features = arm_features();
  need(features.vectors, "asimd");
  if (isa >= Isa::neon_dot) need(features.dot_products, "asimddp");
  if (isa >= Isa::neon_i8mm) need(features.byte_matrices, "i8mm");
  return missing;
}

Forms forms_of(Isa isa) {
  const LaneOps& ops = lane_ops(isa);
  const Product int8 = isa == Isa::neon_i8mm ? product_int8_neon_i8mm : ops.product_int8;
  return {ops, {ops.product_f32, ops.product_bf16, int8}, ops.attention};
}

void spin_hint() { asm volatile("yield"); }

std::uint64_t flush_denormals() {
  constexpr std::uint64_t kFlushToZero = 1u << 24;  // of inputs and results
  std::uint64_t control;
  asm volatile("mrs %0, fpcr" : "=r"(control));
  asm volatile("msr fpcr, %0" : : "r"(control | kFlushToZero));
  return control;
}

void restore_denormals(std::uint64_t control) { asm volatile("msr fpcr, %0" : : "r"(control)); }

}  // namespace cinnabar::kernels::cpu
