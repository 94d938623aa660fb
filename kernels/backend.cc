// The plain forms of the composite operations.
#include "kernels/backend.h"

namespace cinnabar::kernels {

void Backend::forward(const void*, const Batch&, const std::function<void()>& operations) { operations(); }

// The addition's A stands beside the large product, for all rows: it is small, and alone it would neither keep a device
// busy nor share the rounding of x.
void Backend::gated_linear(Rows x, const GatedProduct& product, const Batch& batch, const Workspace& work, Rows out,
                           Write write) {
  const Linear base{x, product.matrix, product.bias, out, write};
  const LowRank& addition = product.addition;
  if (addition.a == nullptr || batch.block_rows.empty()) return linear({&base, 1});
  const Rows thin(work.thin, x.rows, addition.a->rows());
  const Linear both[] = {base, {x, addition.a, nullptr, thin}};
  std::vector<Linear> additions;
  for (const RowRange& rows : batch.block_rows) {
    const Rows from = thin.slice(rows.first, rows.count), to = out.slice(rows.first, rows.count);
    for (const LowRank::Part& part : addition.parts) {
      additions.push_back(
          {from.columns(part.thin, part.b->cols()), part.b, nullptr, to.columns(part.out, part.b->rows()), Write::add});
    }
  }
  linear(both);
  linear(additions);
}

void Backend::embed_batch(const Batch& batch, Rows out) {
  embed(batch.tokens, *batch.embedding, out);
  if (batch.position_table != nullptr) embed(batch.positions, *batch.position_table, out, Write::add);
}

void Backend::norm(const Normed& x, Rows out) {
  x.bias == nullptr ? rms_norm(x.x, x.weight, x.eps, out) : layer_norm(x.x, x.weight, x.bias, x.eps, out);
}

void Backend::project(const Normed& x, const GatedProduct& qkv, const Heads& heads, const Batch& batch,
                      const Workspace& work, Rows out) {
  const Rows normed(work.normed, x.x.rows, x.x.cols);
  norm(x, normed);
  gated_linear(normed, qkv, batch, work, out, Write::set);
  const int size = heads.rope.head_size;
  const std::int64_t query_columns = std::int64_t{heads.queries} * size, columns = std::int64_t{heads.keys} * size;
  const Rows query = out.columns(0, query_columns), key = out.columns(query_columns, columns);
  const Rows value = out.columns(query_columns + columns, columns);
  if (heads.query_norm != nullptr) head_norm(query, heads.query_norm, heads.eps, size);
  if (heads.key_norm != nullptr) head_norm(key, heads.key_norm, heads.eps, size);
  if (heads.rope.turned() > 0) {
    rope(query, batch.positions, heads.rope);
    rope(key, batch.positions, heads.rope);
  }
  for (std::size_t i = 0; i < batch.sequences.size(); ++i) {
    const AttentionSegment& sequence = batch.sequences[i];
    const std::size_t count = sequence.limits.size();
    kv_write(*batch.stores[i], heads.layer, key.slice(sequence.first_row, static_cast<std::int64_t>(count)),
             value.slice(sequence.first_row, static_cast<std::int64_t>(count)),
             batch.slots.subspan(static_cast<std::size_t>(sequence.first_row), count));
  }
}

void Backend::attend(Rows q, const Batch& batch, int layer, float scale, Rows out) {
  attention(q, batch.sequences, layer, scale, out);
}

void Backend::add_product(Rows x, const GatedProduct& product, const Batch& batch, const Workspace& work, Rows out) {
  gated_linear(x, product, batch, work, out, Write::add);
}

void Backend::activated_product(const Normed& x, const GatedProduct& product, Activation activation, const Batch& batch,
                                const Workspace& work, Rows out) {
  const Rows normed(work.normed, x.x.rows, x.x.cols);
  const Rows inner(work.gate_up, x.x.rows, product.matrix->rows());
  norm(x, normed);
  gated_linear(normed, product, batch, work, inner, Write::set);
  activation == Activation::gelu ? gelu(inner, out) : gated_silu(inner, out);
}

void Backend::judge(const Normed& x, const GatedProduct& head, const Batch& batch, const Workspace& work) {
  const Rows judged(work.normed, static_cast<std::int64_t>(batch.judged.size()), x.x.cols);
  gather_rows(x.x, batch.judged, judged);
  norm({judged, x.weight, x.eps, x.bias}, judged);
  score_rows(judged, *head.matrix, head.bias, batch.requests, batch.scores);
}

}  // namespace cinnabar::kernels
