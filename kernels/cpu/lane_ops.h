// The vectorised inner loops of the CPU backend as a table of functions, one table a level (lane_ops_*.cc). Plain
// structs and pointers only: this header is compiled with every instruction set and must not bring in inline functions.
#pragma once

#include <stdint.h>

#include "kernels/logit_summary.h"

namespace cinnabar::kernels::cpu {

// One piece of out (+)= x W^T + bias: `rows` rows by the columns of consecutive strips.
//
// Weights lie in strips of 16 columns, strips in pairs. int8: for each group of 128 inputs, for each strip of the pair,
// 16 f32 scales, then [32][16][4] int8 (four inputs of each column beside each other, so that 64 inputs are one 1 KB
// AMX tile): a pair streams linearly. bf16: strip by strip, for each 32 inputs [16][16][2]. f32: strip by strip,
// [K][16]. Activations lie in tiles of 16 rows. int8: [K / 64][16][64]; bf16: [K / 32][16][32]; f32 as given. K is
// padded with zeros to 128 and 32. With each int8 tile go, for each group, 16 f32 scales and 16 i32 sums times -128
// (for unsigned arithmetic).
struct ProductTask {
  const int8_t* x8;
  const float* x_scales;  // [row tiles][groups][2][16]
  const uint16_t* x16;
  const float* x32;
  int64_t x_stride;  // of x32
  int rows;
  int depth;  // groups of 128 (int8), blocks of 32 (bf16), K (f32)
  const unsigned char* pairs;
  int64_t pair_bytes;
  int columns;        // real columns from the first strip on; the last strip may be partly padding
  const float* bias;  // of the first column, or null
  float* out;
  int64_t out_stride;
  bool add;
};
using Product = void (*)(const ProductTask&);

// Softmax attention of 16 queries (the lanes) over one key/value head.
struct AttentionTask {
  const uint16_t* keys;    // [slots][E] bf16
  const uint16_t* values;  // [slots / 32][E][32] bf16
  int head_size;
  int key_count;        // multiple of 32, covers every lane's limit
  int common;           // slots below are visible to every lane
  const float* limits;  // [16]: lane sees slots below; whole numbers
  const float* hidden;  // [2][16]: but not those from the first to below the second; null: none hidden
  const float* q;       // [E][16]
  float scale;          // above 0
  float* scores;        // scratch [key_count][16], 64-byte aligned
  float* out;           // [E][16]
};

struct LaneOps {
  // One row of a 16-row tile; see ProductTask. `sums` lie 16 behind `scales`, both step 32 a group.
  void (*quantize_row)(const float* x, int64_t cols, int groups, int8_t* tile_row, float* scales);
  void (*round_row)(const float* x, int64_t cols, int blocks, uint16_t* tile_row);
  // A block of a narrow strip with codes of 4, 5 or 6 bits, to the strip's two groups as product_int8 takes them.
  void (*expand_narrow)(const unsigned char* block, int bits, unsigned char* groups);
  void (*to_bf16)(const float* x, int64_t count, uint16_t* out);
  Product product_int8, product_bf16, product_f32;
  void (*attention)(const AttentionTask&);
  // x / sqrt(mean(x^2) + eps) * weight
  void (*rms_norm)(const float* x, const float* weight, float eps, int64_t count, float* out);
  // (x - mean(x)) / sqrt(variance(x) + eps) * weight + bias
  void (*layer_norm)(const float* x, const float* weight, const float* bias, float eps, int64_t count, float* out);
  // (a, b) -> (a cos - b sin, b cos + a sin) for the halves a, b of one head
  void (*rotate)(float* head, const float* cosines, const float* sines, int64_t half);
  void (*gated_silu)(const float* gate, const float* up, int64_t count, float* out);
  void (*gelu)(const float* x, int64_t count, float* out);
  // allowed: bit i of the words for logit i, or null
  void (*summarize)(const float* logits, const uint64_t* allowed, int count, LogitSummary* out);
};

const LaneOps& lane_ops_plain();
const LaneOps& lane_ops_neon();
const LaneOps& lane_ops_neon_dot();
const LaneOps& lane_ops_avx2();
const LaneOps& lane_ops_avx_vnni();
const LaneOps& lane_ops_avx512();

// Bit-identical to the lane forms (int8) or within rounding (bf16, attention).
void product_int8_neon_i8mm(const ProductTask& task);
void product_int8_amx(const ProductTask& task);
void product_bf16_amx(const ProductTask& task);
void attention_amx(const AttentionTask& task);
void product_bf16_avx512_bf16(const ProductTask& task);
void attention_avx512_bf16(const AttentionTask& task);

}  // namespace cinnabar::kernels::cpu
