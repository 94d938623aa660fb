// The inner loops for AVX2 with AVX-VNNI; lane_ops_table.h has them.
#include "kernels/cpu/lane_ops_table.h"

namespace cinnabar::kernels::cpu {

const LaneOps& lane_ops_avx_vnni() { return kLaneOps; }

}  // namespace cinnabar::kernels::cpu
