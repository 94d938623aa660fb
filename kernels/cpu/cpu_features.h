// What differs between processors. The build picks one of the files that define it: cpu_features_x86.cc, _aarch64.cc or,
// for any other architecture, _other.cc, which has the plain level alone.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "kernels/cpu/backend.h"
#include "kernels/cpu/lane_ops.h"

namespace cinnabar::kernels::cpu {

// Names of the feature bits that `isa` needs and this machine lacks, separated by spaces; empty: the level can run.
// From CPUID and XGETBV, on ARM from what the kernel says of the processor; never from the model number, which virtual
// machines get wrong. For amx this also asks the Linux kernel for permission to use the tile registers (per process; a
// second call changes nothing).
std::string missing_features(Isa isa);

// The inner loops of a level that can run here.
struct Forms {
  const LaneOps& ops;
  std::array<Product, 3> products;  // by Compute
  void (*attention)(const AttentionTask&);
};
Forms forms_of(Isa isa);

// Tells the processor that the caller spins.
void spin_hint();

// The calling thread's floating-point control word, with denormals flushed to zero from now on; and back.
std::uint64_t flush_denormals();
void restore_denormals(std::uint64_t control);

}  // namespace cinnabar::kernels::cpu
