#include <sys/auxv.h>

#include "kernels/cpu/cpu_features.h"

namespace cinnabar::kernels::cpu {
namespace {

// Of the words that Linux hands to a program (asm/hwcap.h), named here because old headers lack some.
constexpr unsigned long kVectors = 1ul << 1;        // AT_HWCAP: asimd
constexpr unsigned long kDotProducts = 1ul << 20;   // AT_HWCAP: asimddp
constexpr unsigned long kByteMatrices = 1ul << 13;  // AT_HWCAP2: i8mm

const LaneOps& lane_ops(Isa isa) {
  if (isa == Isa::plain) return lane_ops_plain();
  return isa == Isa::neon ? lane_ops_neon() : lane_ops_neon_dot();
}

}  // namespace

std::string missing_features(Isa isa) {
  if (isa == Isa::plain) return "";
  if (isa > Isa::neon_i8mm) return "x86-64";
  std::string missing;
  const auto need = [&](unsigned long word, unsigned long bit, const char* name) {
    if ((word & bit) == 0) missing += (missing.empty() ? "" : " ") + std::string(name);
  };
  const unsigned long features = getauxval(AT_HWCAP);
  need(features, kVectors, "asimd");
  if (isa >= Isa::neon_dot) need(features, kDotProducts, "asimddp");
  if (isa >= Isa::neon_i8mm) need(getauxval(AT_HWCAP2), kByteMatrices, "i8mm");
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
