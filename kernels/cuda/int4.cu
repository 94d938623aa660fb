// Packing of weights of 4 bits (int4.h): from the codes of a file as they lie there, or from values, which are rounded.
#include "kernels/cuda/int4.h"
#include "kernels/cuda/reduce.h"

namespace cinnabar::kernels::cuda {
namespace {

struct PlaceOfInt4 {
  std::uint8_t* codes;
  std::uint16_t *scales, *offsets;  // offsets: null where the matrix has none
  std::int64_t groups;
};

// What a thread packs: of one row, the values of one lane in one step.
struct Piece {
  std::int64_t column[4];
  std::int64_t group;  // of 32 values
};

// Rows as they lie in a file, in a format that has codes.
struct StoredRows {
  const std::byte* data;
  std::int64_t row_bytes, cols;
  DType dtype;
  __device__ Int4Scale pack(std::int64_t row, const Piece& piece, int (&codes)[4]) const {
    const std::byte* from = data + row * row_bytes;
    if (piece.group * kInt4Group >= cols) return {0, 0};
    for (int i = 0; i < 4; ++i) codes[i] = stored_int4_code(dtype, from, piece.column[i]);
    return stored_int4_scale(dtype, from, piece.group);
  }
};

// Values; eight threads beside one another have a group.
struct RoundedRows {
  Rows x;
  __device__ Int4Scale pack(std::int64_t row, const Piece& piece, int (&codes)[4]) const {
    float values[4] = {0, 0, 0, 0}, farthest = 0;
    for (int i = 0; i < 4; ++i) {
      if (piece.column[i] < x.cols) values[i] = x.data[row * x.stride + piece.column[i]];
      farthest = farther(farthest, values[i]);
    }
    for (int distance = 1; distance < 8; distance *= 2)
      farthest = farther(farthest, __shfl_xor_sync(kEveryLane, farthest, distance));
    const std::uint16_t scale = rounded_int4_scale(farthest);
    for (int i = 0; i < 4; ++i) codes[i] = rounded_int4_code(values[i], f16_to_f32(scale));
    return {scale, 0};
  }
};

// Row blockIdx.x becomes row first + blockIdx.x of the matrix. 16 threads have one group of 64 values.
template <typename From>
__global__ void pack_rows(From from, std::int64_t first, PlaceOfInt4 to) {
  const std::int64_t row = first + blockIdx.x, group = std::int64_t{blockIdx.y} * 2 + threadIdx.x / 16;
  const int step = static_cast<int>(threadIdx.x % 16 / 4), t = static_cast<int>(threadIdx.x % 4);
  Piece piece{};
  for (int i = 0; i < 4; ++i) piece.column[i] = group * 64 + 16 * step + 8 * (i / 2) + 2 * t + i % 2;
  piece.group = group * 2 + step / 2;
  int codes[4] = {};
  const Int4Scale scale = from.pack(blockIdx.x, piece, codes);
  if (group >= to.groups) return;
  const std::int64_t tile_group = row / kTileRows * to.groups + group, g = row % 8, upper = row / 8 % 2;
  std::uint8_t* bytes = to.codes + ((tile_group * 32 + g * 4 + t) * 4 + step) * 4 + upper;
  bytes[0] = static_cast<std::uint8_t>(codes[0] | codes[2] << 4);
  bytes[2] = static_cast<std::uint8_t>(codes[1] | codes[3] << 4);
  if (threadIdx.x % 8 != 0) return;
  const std::int64_t half = (tile_group * 8 + g) * 4 + step / 2 * 2 + upper;
  to.scales[half] = scale.scale;
  if (to.offsets != nullptr) to.offsets[half] = scale.offset;
}

template <typename From>
void launch_pack(Device& device, DeviceMatrix& matrix, std::int64_t first, std::int64_t rows, const From& from) {
  const PlaceOfInt4 to{matrix.data.as<std::uint8_t>(), matrix.scales.as<std::uint16_t>(),
                       matrix.offsets.as<std::uint16_t>(), matrix.groups()};
  device.launch({blocks(rows, 1), blocks(matrix.groups(), 2)}, 32, pack_rows<From>, from, first, to);
}

}  // namespace

void pack_int4(Device& device, DeviceMatrix& matrix, std::int64_t first, Rows rows) {
  launch_pack(device, matrix, first, rows.rows, RoundedRows{rows});
}

void pack_int4(Device& device, DeviceMatrix& matrix, std::int64_t first, const StoredMatrix& rows) {
  launch_pack(device, matrix, first, rows.rows,
              StoredRows{rows.data, row_bytes(rows.dtype, rows.cols), rows.cols, rows.dtype});
}

}  // namespace cinnabar::kernels::cuda
