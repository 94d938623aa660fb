// The CPU backend: own kernels for AMX, AVX-512 VNNI and AVX2, and for NEON, beside a plain C++ form of each, chosen by
// feature bits.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "kernels/backend.h"

namespace cinnabar::kernels::cpu {

// Instruction-set levels of 64-bit ARM and of x86-64, ascending; each needs all bits it uses, read from the processor or
// the kernel, never from the model number. avx_vnni is AVX2 with the dot products of AVX-512 VNNI: of clients' CPUs
// without AVX-512.
enum class Isa : std::uint8_t { plain, neon, neon_dot, neon_i8mm, avx2, avx_vnni, avx512, avx512_bf16, amx };
std::string_view name(Isa isa);  // "plain", "neon", ... as above
std::optional<Isa> parse_isa(std::string_view text);
// The levels this machine can run, ascending; `plain` always. Asks the kernel for AMX permission once.
std::vector<Isa> available_isas();

struct CpuOptions {
  int threads = 0;         // 0: one per physical core this process may use
  std::optional<Isa> isa;  // none: the best available
};

// Fails when the asked level is not available here (says which bits are missing).
Result<std::unique_ptr<Backend>> make_backend(const CpuOptions& options);

}  // namespace cinnabar::kernels::cpu
