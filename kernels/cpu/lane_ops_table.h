// The table of inner loops for the instruction set that the including file is compiled for: lane_ops_*.cc, one a level. The
// loops are in the *_lanes.h headers.
#pragma once

#include "kernels/cpu/attention_lanes.h"
#include "kernels/cpu/linear_int8_lanes.h"
#include "kernels/cpu/linear_lanes.h"
#include "kernels/cpu/narrow_lanes.h"
#include "kernels/cpu/row_lanes.h"

namespace cinnabar::kernels::cpu {
namespace {

constexpr LaneOps kLaneOps = {.quantize_row = quantize_row,
                              .round_row = round_row,
                              .expand_narrow = expand_narrow,
                              .to_bf16 = to_bf16,
                              .product_int8 = product_int8,
                              .product_bf16 = product<Kind::bf16>,
                              .product_f32 = product<Kind::f32>,
                              .attention = attention,
                              .rms_norm = rms_norm,
                              .layer_norm = layer_norm,
                              .rotate = rotate,
                              .gated_silu = gated_silu,
                              .gelu = gelu,
                              .summarize = summarize};

}  // namespace
}  // namespace cinnabar::kernels::cpu
