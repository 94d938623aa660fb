// The inner loops for 64-bit ARM with NEON, which all of them have; lane_ops_table.h has them.
#include "kernels/cpu/lane_ops_table.h"

namespace cinnabar::kernels::cpu {

const LaneOps& lane_ops_neon() { return kLaneOps; }

}  // namespace cinnabar::kernels::cpu
