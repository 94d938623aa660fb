// What this CPU and kernel can run, from CPUID and XGETBV; never from the model number, which virtual machines get
// wrong.
#pragma once

#include <string>

#include "kernels/cpu/backend.h"

namespace cinnabar::kernels::cpu {

// Names of the feature bits that `isa` needs and this machine lacks, separated by spaces; empty: the level can run. For
// amx this also asks the Linux kernel for permission to use the tile registers (per process; a second call changes
// nothing).
std::string missing_features(Isa isa);

}  // namespace cinnabar::kernels::cpu
