// The inner loops for AVX-512 with VNNI; lane_ops_table.h has them.
#include "kernels/cpu/lane_ops_table.h"

namespace cinnabar::kernels::cpu {

const LaneOps& lane_ops_avx512() { return kLaneOps; }

}  // namespace cinnabar::kernels::cpu
