// The inner loops for NEON with dot products (SDOT); lane_ops_table.h has them.
#include "kernels/cpu/lane_ops_table.h"

namespace cinnabar::kernels::cpu {

const LaneOps& lane_ops_neon_dot() { return kLaneOps; }

}  // namespace cinnabar::kernels::cpu
