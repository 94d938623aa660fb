// The inner loops for AVX2 with FMA; the sources are the *_lanes.h headers.
#include "kernels/cpu/attention_lanes.h"
#include "kernels/cpu/linear_int8_lanes.h"
#include "kernels/cpu/linear_lanes.h"
#include "kernels/cpu/narrow_lanes.h"
#include "kernels/cpu/row_lanes.h"

namespace cinnabar::kernels::cpu {

const LaneOps& lane_ops_avx2() {
  static constexpr LaneOps kOps = {quantize_row,
                                   round_row,
                                   expand_narrow,
                                   to_bf16,
                                   product_int8,
                                   product<Kind::bf16>,
                                   product<Kind::f32>,
                                   attention,
                                   rms_norm,
                                   layer_norm,
                                   rotate,
                                   gated_silu,
                                   gelu,
                                   summarize};
  return kOps;
}

}  // namespace cinnabar::kernels::cpu
