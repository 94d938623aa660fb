#include <sys/sysctl.h>

#include <cstddef>

#include "kernels/cpu/arm_features.h"

namespace cinnabar::kernels::cpu {
namespace {

bool has(const char* name) {
  int value = 0;
  std::size_t size = sizeof value;
  return sysctlbyname(name, &value, &size, nullptr, 0) == 0 && value != 0;
}

}  // namespace

ArmFeatures arm_features() {  // every processor that macOS runs on has vectors
  return {true, has("hw.optional.arm.FEAT_DotProd"), has("hw.optional.arm.FEAT_I8MM")};
}

}  // namespace cinnabar::kernels::cpu
