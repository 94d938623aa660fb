// The inner loops for the plain C++ form; lane_ops_table.h has them.
#include "kernels/cpu/lane_ops_table.h"

namespace cinnabar::kernels::cpu {

const LaneOps& lane_ops_plain() { return kLaneOps; }

}  // namespace cinnabar::kernels::cpu
