#include "kernels/cpu/cpu_features.h"

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>

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

constexpr std::array kLevels = {Isa::plain, Isa::avx2, Isa::avx_vnni, Isa::avx512, Isa::avx512_bf16, Isa::amx};

bool tile_permission() { return syscall(SYS_arch_prctl, kRequestStatePermission, kTileData) == 0; }

}  // namespace

std::string missing_features(Isa isa) {
  if (isa == Isa::plain) return "";
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

std::string_view name(Isa isa) {
  constexpr std::array<std::string_view, 6> kNames = {"plain", "avx2", "avx_vnni", "avx512", "avx512_bf16", "amx"};
  return kNames[static_cast<std::size_t>(isa)];
}

std::optional<Isa> parse_isa(std::string_view text) {
  for (const Isa isa : kLevels) {
    if (text == name(isa)) return isa;
  }
  return std::nullopt;
}

std::vector<Isa> available_isas() {
  std::vector<Isa> levels;
  for (const Isa isa : kLevels) {
    if (missing_features(isa).empty()) levels.push_back(isa);
  }
  return levels;
}

}  // namespace cinnabar::kernels::cpu
