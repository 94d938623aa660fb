#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <xmmintrin.h>

#include <array>
#include <cstdint>

#include "kernels/cpu/cpu_features.h"

namespace cinnabar::kernels::cpu {
namespace {

// arch_prctl request and the number of the tile data component (Linux, asm/prctl.h and
// Documentation/arch/x86/xstate.rst).
constexpr int kRequestStatePermission = 0x1023;
constexpr int kTileData = 18;

struct CpuidLeaf {
  unsigned int eax = 0, ebx = 0, ecx = 0, edx = 0;
};

CpuidLeaf cpuid(unsigned int leaf, unsigned int sub) {
  CpuidLeaf r;
  if (__get_cpuid_count(leaf, sub, &r.eax, &r.ebx, &r.ecx, &r.edx) == 0) return {};
  return r;
}

// Register state that the operating system saves; 0 where it saves none.
std::uint64_t saved_state(const CpuidLeaf& leaf1) {
  if ((leaf1.ecx >> 27 & 1) == 0) return 0;
  std::uint32_t low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return static_cast<std::uint64_t>(high) << 32 | low;
}

struct Need {
  Isa isa;  // this level and all above; avx_vnni: this level alone
  const char* name;
  bool present;
};

constexpr unsigned int kFlushToZero = 0x8000;
constexpr unsigned int kDenormalsAreZero = 0x0040;

const LaneOps& lane_ops(Isa isa) {
  if (isa == Isa::plain) return lane_ops_plain();
  if (isa == Isa::avx2) return lane_ops_avx2();
  return isa == Isa::avx_vnni ? lane_ops_avx_vnni() : lane_ops_avx512();
}

bool tile_permission() { return syscall(SYS_arch_prctl, kRequestStatePermission, kTileData) == 0; }

}  // namespace

std::string missing_features(Isa isa) {
  if (isa == Isa::plain) return "";
  if (isa <= Isa::neon_i8mm) return "aarch64";
  const CpuidLeaf one = cpuid(1, 0);
  const CpuidLeaf seven = cpuid(7, 0);
  const CpuidLeaf seven_one = cpuid(7, 1);
  const std::uint64_t state = saved_state(one);
  const auto bit = [](std::uint64_t word, int index) { return (word >> index & 1) != 0; };
  const auto saves = [state](std::uint64_t mask) { return (state & mask) == mask; };
  const std::array needs = {
      Need{Isa::avx2, "fma", bit(one.ecx, 12)},
      Need{Isa::avx2, "avx", bit(one.ecx, 28)},
      Need{Isa::avx2, "f16c", bit(one.ecx, 29)},
      Need{Isa::avx2, "avx2", bit(seven.ebx, 5)},
      Need{Isa::avx2, "os-ymm", saves(0x6)},
      Need{Isa::avx_vnni, "avx_vnni", bit(seven_one.eax, 4)},
      Need{Isa::avx512, "avx512f", bit(seven.ebx, 16)},
      Need{Isa::avx512, "avx512dq", bit(seven.ebx, 17)},
      Need{Isa::avx512, "avx512bw", bit(seven.ebx, 30)},
      Need{Isa::avx512, "avx512vl", bit(seven.ebx, 31)},
      Need{Isa::avx512, "avx512_vnni", bit(seven.ecx, 11)},
      Need{Isa::avx512, "os-zmm", saves(0xe6)},
      Need{Isa::avx512_bf16, "avx512_bf16", bit(seven_one.eax, 5)},
      Need{Isa::amx, "amx_bf16", bit(seven.edx, 22)},
      Need{Isa::amx, "amx_tile", bit(seven.edx, 24)},
      Need{Isa::amx, "amx_int8", bit(seven.edx, 25)},
      Need{Isa::amx, "os-tiles", saves(0x60000)},
  };
  std::string missing;
  for (const Need& need : needs) {
    if (need.isa > isa || need.present || (need.isa == Isa::avx_vnni && isa != Isa::avx_vnni)) continue;
    if (!missing.empty()) missing += ' ';
    missing += need.name;
  }
  if (isa == Isa::amx && missing.empty() && !tile_permission()) missing = "tile-permission";
  return missing;
}

Forms forms_of(Isa isa) {
  const LaneOps& ops = lane_ops(isa);
  switch (isa) {
    case Isa::avx512_bf16:
      return {ops, {ops.product_f32, product_bf16_avx512_bf16, ops.product_int8}, attention_avx512_bf16};
    case Isa::amx:
      return {ops, {ops.product_f32, product_bf16_amx, product_int8_amx}, attention_amx};
    default:
      return {ops, {ops.product_f32, ops.product_bf16, ops.product_int8}, ops.attention};
  }
}

void spin_hint() { _mm_pause(); }

std::uint64_t flush_denormals() {
  const unsigned int control = _mm_getcsr();
  _mm_setcsr(control | kFlushToZero | kDenormalsAreZero);
  return control;
}

void restore_denormals(std::uint64_t control) { _mm_setcsr(static_cast<unsigned int>(control)); }

}  // namespace cinnabar::kernels::cpu
