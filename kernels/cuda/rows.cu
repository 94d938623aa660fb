// Operations that treat each row by itself: norms, rotary embedding, gated activation, embedding, gathering.
#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>

#include "kernels/cuda/backend_impl.h"
#include "kernels/cuda/row_math.h"

namespace cinnabar::kernels::cuda {
namespace {

constexpr unsigned kThreads = 128;
constexpr std::int64_t kFirstPositions = 8192;

// One head (or whole row) of `size` columns a warp. out may be x.
__global__ void norm_heads(Rows x, const float* weight, float eps, int size, Rows out) {
  const float* from = x.data + blockIdx.x * x.stride + std::int64_t{blockIdx.y} * size;
  float* to = out.data + blockIdx.x * out.stride + std::int64_t{blockIdx.y} * size;
  const float inverse = inverse_norm(from, size, eps);
  for (int i = static_cast<int>(threadIdx.x); i < size; i += 32) to[i] = from[i] * inverse * weight[i];
}

// One row a warp. out may be x.
__global__ void norm_rows(Rows x, const float* weight, const float* bias, float eps, Rows out) {
  const float* from = x.data + blockIdx.x * x.stride;
  float* to = out.data + blockIdx.x * out.stride;
  const int size = static_cast<int>(x.cols), first = static_cast<int>(threadIdx.x);
  float sum = 0, squares = 0;
  for (int i = first; i < size; i += 32) sum += from[i];
  const float mean = reduce_warp(sum, Add()) / static_cast<float>(size);
  for (int i = first; i < size; i += 32) squares = fmaf(from[i] - mean, from[i] - mean, squares);
  const float inverse = 1.0f / sqrtf(reduce_warp(squares, Add()) / static_cast<float>(size) + eps);
  for (int i = first; i < size; i += 32) to[i] = fmaf((from[i] - mean) * inverse, weight[i], bias[i]);
}

// All heads of one row a block; thread i turns pairs (i, i + half), 2 half being a head's values that are turned.
__global__ void rotate(Rows x, const std::int32_t* positions, const float* cosines, const float* sines, int size,
                       int turned_values) {
  const std::int64_t half = turned_values / 2;
  const std::int64_t angle = positions[blockIdx.x] * half;
  float* row = x.data + blockIdx.x * x.stride;
  for (std::int64_t i = threadIdx.x; i < x.cols / size * half; i += kThreads) {
    const std::int64_t pair = i % half;
    float* first = row + i / half * size + pair;
    const Turned now = turned(first[0], first[half], cosines[angle + pair], sines[angle + pair]);
    first[0] = now.first;
    first[half] = now.second;
  }
}

__global__ void gate(Rows x, Rows out) {
  const std::int64_t column = std::int64_t{blockIdx.y} * kThreads + threadIdx.x;
  if (column >= out.cols) return;
  const float* row = x.data + blockIdx.x * x.stride;
  out.data[blockIdx.x * out.stride + column] = gated(row[column], row[out.cols + column]);
}

__global__ void gelu_rows(Rows x, Rows out) {
  const std::int64_t column = std::int64_t{blockIdx.y} * kThreads + threadIdx.x;
  if (column >= out.cols) return;
  const float value = x.data[blockIdx.x * x.stride + column];
  const float power = value * fmaf(value * value, -1.5957691216f * 0.044715f, -1.5957691216f);  // -2 sqrt(2 / pi)
  out.data[blockIdx.x * out.stride + column] = value / (1.0f + expf(power));
}

// A column a thread, all rows in order.
__global__ void add_in_order(Rows x, const std::int32_t* rows, const float* factors, Rows out) {
  const std::int64_t column = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (column >= x.cols) return;
  for (std::int64_t row = 0; row < x.rows; ++row)
    out.data[rows[row] * out.stride + column] += factors[row] * x.data[row * x.stride + column];
}

__global__ void gather(Rows x, const std::int32_t* rows, Rows out) {
  const float* from = x.data + rows[blockIdx.x] * x.stride;
  float* to = out.data + blockIdx.x * out.stride;
  for (std::int64_t i = threadIdx.x; i < out.cols; i += kThreads) to[i] = from[i];
}

}  // namespace

const DeviceRopeTable* rope_table(Context& context, const RopeSpec& spec, std::int64_t positions) {
  auto found = std::find_if(context.rope_tables.begin(), context.rope_tables.end(),
                            [&](const DeviceRopeTable& table) { return is_for(table.host, spec); });
  if (found == context.rope_tables.end()) {
    found = context.rope_tables.insert(found, DeviceRopeTable());
    found->host = rope_table_for(spec);
  }
  if (found->positions >= positions) return &*found;
  extend(found->host, std::max(positions, kFirstPositions));  // growing often would cost what was recorded with it
  const auto bytes = static_cast<std::int64_t>(found->host.cosines.size() * sizeof(float));
  if (!context.grow(found->cosines, bytes) || !context.grow(found->sines, bytes)) return nullptr;
  context.device->to_device(found->cosines.as<float>(), found->host.cosines.data(), bytes);
  context.device->to_device(found->sines.as<float>(), found->host.sines.data(), bytes);
  found->positions = found->host.positions;
  return &*found;
}

void CudaBackend::rms_norm(Rows x, const float* weight, float eps, Rows out) {
  assert(x.rows == out.rows && x.cols == out.cols);
  if (x.rows == 0) return;
  context_.device->launch({blocks(x.rows, 1)}, 32, norm_heads, x, weight, eps, static_cast<int>(x.cols), out);
}

void CudaBackend::layer_norm(Rows x, const float* weight, const float* bias, float eps, Rows out) {
  assert(x.rows == out.rows && x.cols == out.cols);
  if (x.rows == 0) return;
  context_.device->launch({blocks(x.rows, 1)}, 32, norm_rows, x, weight, bias, eps, out);
}

void CudaBackend::head_norm(Rows x, const float* weight, float eps, int head_size) {
  assert(head_size > 0 && x.cols % head_size == 0);
  if (x.rows == 0) return;
  context_.device->launch({blocks(x.rows, 1), blocks(x.cols, head_size)}, 32, norm_heads, x, weight, eps, head_size, x);
}

void CudaBackend::rope(Rows x, std::span<const std::int32_t> positions, const RopeSpec& spec) {
  assert(x.rows == static_cast<std::int64_t>(positions.size()));
  assert(spec.head_size > 0 && spec.head_size % 2 == 0 && x.cols % spec.head_size == 0);
  if (positions.empty()) return;
  const std::int32_t largest = *std::max_element(positions.begin(), positions.end());
  const DeviceRopeTable* table = rope_table(context_, spec, std::int64_t{largest} + 1);
  const std::int32_t* on_device = context_.upload_ints(positions);
  if (table == nullptr || on_device == nullptr) return;
  context_.device->launch({blocks(x.rows, 1)}, kThreads, rotate, x, on_device, table->cosines.as<const float>(),
                          table->sines.as<const float>(), spec.head_size, spec.turned());
}

void CudaBackend::gated_silu(Rows x, Rows out) {
  assert(x.rows == out.rows && x.cols == 2 * out.cols);
  if (x.rows == 0) return;
  context_.device->launch({blocks(x.rows, 1), blocks(out.cols, kThreads)}, kThreads, gate, x, out);
}

void CudaBackend::gelu(Rows x, Rows out) {
  assert(x.rows == out.rows && x.cols == out.cols);
  if (x.rows == 0) return;
  context_.device->launch({blocks(x.rows, 1), blocks(out.cols, kThreads)}, kThreads, gelu_rows, x, out);
}

// The table stays where the model's file is: a row is expanded on the way to the device.
void CudaBackend::embed(std::span<const std::int32_t> ids, const StoredMatrix& table, Rows out, Write write) {
  assert(out.rows == static_cast<std::int64_t>(ids.size()) && out.cols == table.cols);
  const std::int64_t bytes = row_bytes(table.dtype, table.cols);
  std::vector<float> expanded(static_cast<std::size_t>(out.rows * out.cols));
  for (std::int64_t row = 0; row < out.rows; ++row) {
    assert(ids[row] >= 0 && ids[row] < table.rows);
    dequantize(table.dtype, table.data + ids[row] * bytes, expanded.data() + row * out.cols, table.cols);
  }
  if (write == Write::add) {
    std::vector<float> before(static_cast<std::size_t>(out.rows * out.stride));
    download(out.data, std::span(before).first(before.size() - static_cast<std::size_t>(out.stride - out.cols)));
    for (std::int64_t i = 0; i < out.rows * out.cols; ++i)
      expanded[static_cast<std::size_t>(i)] +=
          before[static_cast<std::size_t>(i / out.cols * out.stride + i % out.cols)];
  }
  const std::int64_t rows_at_once = out.stride == out.cols ? out.rows : 1;
  for (std::int64_t row = 0; row < out.rows; row += rows_at_once) {
    context_.device->to_device(out.data + row * out.stride, expanded.data() + row * out.cols,
                               rows_at_once * out.cols * static_cast<std::int64_t>(sizeof(float)));
  }
}

void CudaBackend::gather_rows(Rows x, std::span<const std::int32_t> rows, Rows out) {
  assert(out.rows == static_cast<std::int64_t>(rows.size()) && out.cols == x.cols);
  const std::int32_t* on_device = context_.upload_ints(rows);
  if (on_device == nullptr) return;
  context_.device->launch({blocks(out.rows, 1)}, kThreads, gather, x, on_device, out);
}

void CudaBackend::add_rows(Rows x, std::span<const std::int32_t> rows, std::span<const float> factors, Rows out) {
  assert(x.rows == static_cast<std::int64_t>(rows.size()) && rows.size() == factors.size() && x.cols == out.cols);
  if (x.rows == 0) return;
  // One upload for both, rows and the factors' bits.
  std::vector<std::int32_t> both(rows.begin(), rows.end());
  for (const float factor : factors) both.push_back(std::bit_cast<std::int32_t>(factor));
  const std::int32_t* on_device = context_.upload_ints(both);
  if (on_device == nullptr) return;
  context_.device->launch({blocks(x.cols, kThreads)}, kThreads, add_in_order, x, on_device,
                          reinterpret_cast<const float*>(on_device + x.rows), out);
}

}  // namespace cinnabar::kernels::cuda
