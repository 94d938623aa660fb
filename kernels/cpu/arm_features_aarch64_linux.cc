#include <sys/auxv.h>

#include "kernels/cpu/arm_features.h"

namespace cinnabar::kernels::cpu {
namespace {

// Of the words that Linux hands to a program (asm/hwcap.h), named here because old headers lack some.
constexpr unsigned long kVectors = 1ul << 1;        // AT_HWCAP: asimd
constexpr unsigned long kDotProducts = 1ul << 20;   // AT_HWCAP: asimddp
constexpr unsigned long kByteMatrices = 1ul << 13;  // AT_HWCAP2: i8mm

}  // namespace

ArmFeatures arm_features() {
  const unsigned long first = getauxval(AT_HWCAP), second = getauxval(AT_HWCAP2);
  return {(first & kVectors) != 0, (first & kDotProducts) != 0, (second & kByteMatrices) != 0};
}

}  // namespace cinnabar::kernels::cpu
