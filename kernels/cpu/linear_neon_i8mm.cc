// int8 products on NEON's matrix products of bytes (SMMLA): two rows by two columns over eight inputs an instruction,
// twice the work of SDOT. Weights lie as SDOT wants them, four inputs of a column beside each other: two such lines are
// interleaved to eight on the way, once for all rows of a block. The same bits as the lane form, which does a single row.
#include "kernels/cpu/linear_int8_lanes.h"

namespace cinnabar::kernels::cpu {
namespace {

constexpr int kMatrixRows = 8;
constexpr int kMatrixColumns = 8;  // 16 sums for 8 rows: with 16 columns they would fill all registers

// Eight inputs of columns 0 and 1, 2 and 3, ... side by side.
struct ColumnPairs {
  int8x16_t v[kMatrixColumns / 2];
};
CINNABAR_INLINE ColumnPairs load_columns(const unsigned char* line) {
  ColumnPairs pairs;
  for (int i = 0; i < kMatrixColumns / 4; ++i) {
    const int32x4_t first = vreinterpretq_s32_u8(vld1q_u8(line + 16 * i));
    const int32x4_t second = vreinterpretq_s32_u8(vld1q_u8(line + 64 + 16 * i));
    pairs.v[2 * i] = vreinterpretq_s8_s32(vzip1q_s32(first, second));
    pairs.v[2 * i + 1] = vreinterpretq_s8_s32(vzip2q_s32(first, second));
  }
  return pairs;
}

// One group of R rows by eight columns of a strip. An odd last row is its own neighbour, whose sums nobody takes.
template <int R, bool first>
CINNABAR_INLINE void add_columns(const int8_t* x, const float* scales, const unsigned char* strip, int from,
                                 float* acc) {
  constexpr int kPairs = (R + 1) / 2;
  int32x4_t sums[kPairs][kMatrixColumns / 2];  // a row's two columns, then its neighbour's
  for (auto& pair : sums) {
    for (int32x4_t& sum : pair) sum = vdupq_n_s32(0);
  }
  for (int k = 0; k < 32; k += 2) {
    const ColumnPairs w = load_columns(strip + kScaleBytes + 64 * k + 4 * from);
    if constexpr (first) {
      __builtin_prefetch(strip + kPrefetchBytes + 64 * k, 0, 2);
      __builtin_prefetch(strip + kPrefetchBytes + 64 * (k + 1), 0, 2);
    }
    const int8_t* eight = x + (k / 16) * kTileBytes + (k % 16) * 4;
    for (int p = 0; p < kPairs; ++p) {
      const int8_t* row = eight + 128 * p;
      const int8x16_t rows = vcombine_s8(vld1_s8(row), vld1_s8(2 * p + 1 < R ? row + 64 : row));
      for (int c = 0; c < kMatrixColumns / 2; ++c) sums[p][c] = vmmlaq_s32(sums[p][c], rows, w.v[c]);
    }
  }
  const float* w_scales = reinterpret_cast<const float*>(strip) + from;
  for (int p = 0; p < kPairs; ++p) {
    for (int c = 0; c < kMatrixColumns / 2; c += 2) {
      const int32x4_t a = sums[p][c], b = sums[p][c + 1];
      float* to = acc + 2 * p * kLanes + from + 2 * c;
      add_scaled_four(to, vcombine_s32(vget_low_s32(a), vget_low_s32(b)), scales[2 * p], w_scales + 2 * c);
      if (2 * p + 1 == R) continue;
      const int32x4_t neighbour = vcombine_s32(vget_high_s32(a), vget_high_s32(b));
      add_scaled_four(to + kLanes, neighbour, scales[2 * p + 1], w_scales + 2 * c);
    }
  }
}

}  // namespace

void product_int8_neon_i8mm(const ProductTask& t) {
  if (t.rows == 1) return product_int8(t);
  in_panels<1, kMatrixRows>(
      t, []<int R, bool first>(const int8_t* x, const float* scales, const unsigned char* strip, float* acc) {
        add_columns<R, first>(x, scales, strip, 0, acc);
        add_columns<R, false>(x, scales, strip, kMatrixColumns, acc);
      });
}

}  // namespace cinnabar::kernels::cpu
