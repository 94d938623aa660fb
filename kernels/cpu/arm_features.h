// What the system says of a 64-bit ARM processor. The build picks arm_features_aarch64_linux.cc or _aarch64_darwin.cc.
#pragma once

namespace cinnabar::kernels::cpu {

struct ArmFeatures {
  bool vectors = false;        // asimd
  bool dot_products = false;   // asimddp: of bytes
  bool byte_matrices = false;  // i8mm: 2x8 by 8x2
};
ArmFeatures arm_features();

}  // namespace cinnabar::kernels::cpu
