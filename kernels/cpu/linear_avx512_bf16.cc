// bf16 products by AVX-512 BF16 dot products: acc += x_k w_k + x_k+1 w_k+1 of two neighbouring inputs, which the layout
// already holds beside each other; half the instructions of the lane form, and no expansion to f32. Limit: bandwidth of
// the weights up to about 8 rows.
#include <immintrin.h>

#include "kernels/cpu/packing.h"
#include "kernels/cpu/product_lanes.h"

namespace cinnabar::kernels::cpu {
namespace {

constexpr int kBlockBytes = kTileBytes;  // of a strip: 32 inputs of 16 columns
constexpr int kAhead = 4 * kBlockBytes;

// By hand: for the intrinsic, GCC 12 copies every sum.
CINNABAR_INLINE void add_products(__m512& sum, __m512i weights, __m512i inputs) {
  asm("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(weights), "v"(inputs));
}

CINNABAR_INLINE int32_t pair_at(const uint16_t* p) {
  int32_t word;
  __builtin_memcpy(&word, p, 4);
  return word;
}

// R rows by both strips of a pair. The first rows ask for the weights that come next.
template <int R, bool first>
void some_rows(const ProductTask& t, const unsigned char* pair, int row, int column) {
  const uint16_t* x = t.x16 + static_cast<int64_t>(row / 16) * t.depth * 512 + (row % 16) * 32;
  const unsigned char* strips[2] = {pair, pair + t.pair_bytes / 2};
  __m512 sums[R][2];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) sums[r][0] = sums[r][1] = _mm512_setzero_ps();
  for (int block = 0; block < t.depth; ++block, x += 512) {
    for (int k = 0; k < 16; ++k) {
      __m512i weights[2];
      for (int s = 0; s < 2; ++s) {
        const unsigned char* line = strips[s] + block * static_cast<int64_t>(kBlockBytes) + 64 * k;
        if constexpr (first) __builtin_prefetch(line + kAhead, 0, 2);
        weights[s] = _mm512_loadu_si512(line);
      }
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
        const __m512i inputs = _mm512_set1_epi32(pair_at(x + 32 * r + 2 * k));
        add_products(sums[r][0], weights[0], inputs);
        add_products(sums[r][1], weights[1], inputs);
      }
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
    finish(t, row + r, column, {sums[r][0]});
    if (column + kLanes < t.columns) finish(t, row + r, column + kLanes, {sums[r][1]});
  }
}

}  // namespace

void product_bf16_avx512_bf16(const ProductTask& t) {
  for (int column = 0; column < t.columns; column += 2 * kLanes) {
    const unsigned char* pair = t.pairs + column / 32 * t.pair_bytes;
    in_row_blocks(t.rows, [&]<int R>(int row) {
      row == 0 ? some_rows<R, true>(t, pair, row, column) : some_rows<R, false>(t, pair, row, column);
    });
  }
}

}  // namespace cinnabar::kernels::cpu
