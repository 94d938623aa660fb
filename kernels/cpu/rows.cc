// Operations that treat each row by itself: norms, rotary embedding, gated activation, embedding, gathering.
#include <algorithm>
#include <cassert>
#include <cstring>

#include "kernels/cpu/backend_impl.h"

namespace cinnabar::kernels::cpu {
namespace {

constexpr std::int64_t kTaskValues = 16 << 10;  // a few microseconds of work

// body(row) for every row, in tasks of about kTaskValues values.
template <typename Body>
void each_row(Context& context, std::int64_t rows, std::int64_t cols, const Body& body) {
  const std::int64_t step = std::max<std::int64_t>(1, kTaskValues / std::max<std::int64_t>(1, cols));
  const auto some_rows = [&](int task, int) {
    const std::int64_t end = std::min(rows, (task + 1) * step);
    for (std::int64_t row = task * step; row < end; ++row) body(row);
  };
  context.pool.run(static_cast<int>((rows + step - 1) / step), some_rows);
}

// Kept for the next call.
const RopeTable& rope_table(Context& context, const RopeSpec& spec, std::int64_t positions) {
  auto found = std::find_if(context.rope_tables.begin(), context.rope_tables.end(),
                            [&](const RopeTable& table) { return is_for(table, spec); });
  if (found == context.rope_tables.end()) found = context.rope_tables.insert(found, rope_table_for(spec));
  extend(*found, positions);
  return *found;
}

}  // namespace

void CpuBackend::rms_norm(Rows x, const float* weight, float eps, Rows out) {
  const FlushDenormals flush;
  assert(x.rows == out.rows && x.cols == out.cols);
  each_row(context_, x.rows, x.cols, [&](std::int64_t row) {
    context_.ops.rms_norm(x.data + row * x.stride, weight, eps, x.cols, out.data + row * out.stride);
  });
}

void CpuBackend::layer_norm(Rows x, const float* weight, const float* bias, float eps, Rows out) {
  const FlushDenormals flush;
  assert(x.rows == out.rows && x.cols == out.cols);
  each_row(context_, x.rows, x.cols, [&](std::int64_t row) {
    context_.ops.layer_norm(x.data + row * x.stride, weight, bias, eps, x.cols, out.data + row * out.stride);
  });
}

void CpuBackend::head_norm(Rows x, const float* weight, float eps, int head_size) {
  const FlushDenormals flush;
  assert(head_size > 0 && x.cols % head_size == 0);
  each_row(context_, x.rows, x.cols, [&](std::int64_t row) {
    float* data = x.data + row * x.stride;
    for (std::int64_t i = 0; i < x.cols; i += head_size)
      context_.ops.rms_norm(data + i, weight, eps, head_size, data + i);
  });
}

void CpuBackend::rope(Rows x, std::span<const std::int32_t> positions, const RopeSpec& spec) {
  const FlushDenormals flush;
  assert(x.rows == static_cast<std::int64_t>(positions.size()));
  assert(spec.head_size > 0 && spec.head_size % 2 == 0 && x.cols % spec.head_size == 0);
  if (positions.empty()) return;
  const auto [smallest, largest] = std::minmax_element(positions.begin(), positions.end());
  assert(*smallest >= 0);
  const RopeTable& table = rope_table(context_, spec, static_cast<std::int64_t>(*largest) + 1);
  const std::int64_t half = spec.turned() / 2;
  each_row(context_, x.rows, x.cols, [&](std::int64_t row) {
    const std::int64_t angle = positions[row] * half;
    for (std::int64_t i = 0; i < x.cols; i += spec.head_size) {
      context_.ops.rotate(x.data + row * x.stride + i, table.cosines.data() + angle, table.sines.data() + angle, half);
    }
  });
  static_cast<void>(smallest);
}

void CpuBackend::gated_silu(Rows x, Rows out) {
  const FlushDenormals flush;
  assert(x.rows == out.rows && x.cols == 2 * out.cols);
  each_row(context_, x.rows, x.cols, [&](std::int64_t row) {
    const float* gate = x.data + row * x.stride;
    context_.ops.gated_silu(gate, gate + out.cols, out.cols, out.data + row * out.stride);
  });
}

void CpuBackend::gelu(Rows x, Rows out) {
  const FlushDenormals flush;
  assert(x.rows == out.rows && x.cols == out.cols);
  each_row(context_, x.rows, x.cols,
           [&](std::int64_t row) { context_.ops.gelu(x.data + row * x.stride, x.cols, out.data + row * out.stride); });
}

void CpuBackend::embed(std::span<const std::int32_t> ids, const StoredMatrix& table, Rows out, Write write) {
  const FlushDenormals flush;
  assert(out.rows == static_cast<std::int64_t>(ids.size()) && out.cols == table.cols);
  const std::int64_t bytes = row_bytes(table.dtype, table.cols);
  each_row(context_, out.rows, out.cols, [&](std::int64_t row) {
    assert(ids[row] >= 0 && ids[row] < table.rows);
    float* to = out.data + row * out.stride;
    if (write == Write::set) return dequantize(table.dtype, table.data + ids[row] * bytes, to, table.cols);
    std::vector<float> added(table.cols);
    dequantize(table.dtype, table.data + ids[row] * bytes, added.data(), table.cols);
    for (std::int64_t i = 0; i < table.cols; ++i) to[i] += added[i];
  });
}

void CpuBackend::gather_rows(Rows x, std::span<const std::int32_t> rows, Rows out) {
  assert(out.rows == static_cast<std::int64_t>(rows.size()) && out.cols == x.cols);
  each_row(context_, out.rows, out.cols, [&](std::int64_t row) {
    assert(rows[row] >= 0 && rows[row] < x.rows);
    std::memcpy(out.data + row * out.stride, x.data + rows[row] * x.stride, x.cols * sizeof(float));
  });
}

// Divided by columns: a row of out may come several times.
void CpuBackend::add_rows(Rows x, std::span<const std::int32_t> rows, std::span<const float> factors, Rows out) {
  const FlushDenormals flush;
  assert(x.rows == static_cast<std::int64_t>(rows.size()) && rows.size() == factors.size() && x.cols == out.cols);
  const std::int64_t step = std::max<std::int64_t>(64, kTaskValues / std::max<std::int64_t>(1, x.rows) / 64 * 64);
  const auto some_columns = [&](int task, int) {
    const std::int64_t first = task * step, count = std::min(step, x.cols - first);
    for (std::int64_t row = 0; row < x.rows; ++row) {
      assert(rows[row] >= 0 && rows[row] < out.rows);
      const float* from = x.data + row * x.stride + first;
      float* to = out.data + rows[row] * out.stride + first;
      for (std::int64_t i = 0; i < count; ++i) to[i] += factors[row] * from[i];
    }
  };
  context_.pool.run(static_cast<int>((x.cols + step - 1) / step), some_columns);
}

}  // namespace cinnabar::kernels::cpu
