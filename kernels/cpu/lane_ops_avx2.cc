// The inner loops for AVX2 with FMA; lane_ops_table.h has them.
#include "kernels/cpu/lane_ops_table.h"

namespace cinnabar::kernels::cpu {

const LaneOps& lane_ops_avx2() { return kLaneOps; }

}  // namespace cinnabar::kernels::cpu
