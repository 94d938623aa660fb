#include <algorithm>
#include <cassert>

#include "kernels/cuda/batch_image.h"
#include "kernels/cuda/kv.h"
#include "kernels/numeric.h"

namespace cinnabar::kernels::cuda {

BatchForm form_of(const Batch& batch) {
  std::int32_t longest = 1;
  for (const AttentionSegment& sequence : batch.sequences) {
    for (const std::int32_t limit : sequence.limits) longest = std::max(longest, limit);
  }
  BatchForm form;
  form.rows = (batch.rows() + 7) / 8 * 8;
  form.judged = (std::ssize(batch.requests) + 7) / 8 * 8;
  for (form.pieces = 1; form.pieces * kPiece < longest;) form.pieces *= 2;
  form.additions = !batch.block_rows.empty();
  return form;
}

void RequestImage::set(std::span<const ScoreRequest> from, std::int64_t vocabulary) {
  const std::int64_t words = (vocabulary + 63) / 64;
  requests.clear();
  masks.clear();
  std::vector<const std::uint64_t*> known;
  for (const ScoreRequest& request : from) {
    std::ptrdiff_t mask = -1;
    if (request.allowed != nullptr) {
      mask = std::find(known.begin(), known.end(), request.allowed) - known.begin();
      if (mask == std::ssize(known)) {
        known.push_back(request.allowed);
        masks.insert(masks.end(), request.allowed, request.allowed + words);
      }
    }
    requests.push_back({request.seed, request.temperature, request.step, request.position, request.asked,
                        static_cast<std::int32_t>(mask), request.ranked ? 1 : 0});
  }
}

void see_rows(std::span<const AttentionSegment> sequences, std::int64_t rows, BatchScratch& scratch) {
  const auto count = static_cast<std::size_t>(rows);
  for (auto* numbers : {&scratch.limits, &scratch.hidden_first, &scratch.hidden_end}) numbers->assign(count, 0);
  scratch.kv.assign(count, {nullptr, 0});
  for (const AttentionSegment& sequence : sequences) {
    const auto& kv = static_cast<const DeviceKv&>(*sequence.kv);
    for (std::size_t i = 0; i < sequence.limits.size(); ++i) {
      const std::size_t row = static_cast<std::size_t>(sequence.first_row) + i;
      const SlotRange hidden = sequence.hidden.empty() ? SlotRange{} : sequence.hidden[i];
      assert(hidden.first >= hidden.end || hidden.first > 0);
      assert(sequence.limits[i] <= kv.shape().capacity);
      scratch.limits[row] = sequence.limits[i];
      scratch.hidden_first[row] = hidden.first;
      scratch.hidden_end[row] = hidden.end;
      scratch.kv[row] = {kv.keys(0), kv.plane()};
    }
  }
}

namespace {

void expand_tokens(const Batch& batch, std::vector<float>& out) {
  const StoredMatrix& table = *batch.embedding;
  const std::int64_t bytes = row_bytes(table.dtype, table.cols);
  out.resize(static_cast<std::size_t>(batch.rows() * table.cols));
  for (std::int64_t row = 0; row < batch.rows(); ++row) {
    const std::int32_t token = batch.tokens[static_cast<std::size_t>(row)];
    assert(token >= 0 && token < table.rows);
    dequantize(table.dtype, table.data + token * bytes, out.data() + row * table.cols, table.cols);
  }
  if (batch.position_table == nullptr) return;
  const StoredMatrix& places = *batch.position_table;
  std::vector<float> added(static_cast<std::size_t>(places.cols));
  for (std::int64_t row = 0; row < batch.rows(); ++row) {
    const std::int32_t position = batch.positions[static_cast<std::size_t>(row)];
    assert(position >= 0 && position < places.rows);
    dequantize(places.dtype, places.data + position * row_bytes(places.dtype, places.cols), added.data(), places.cols);
    for (std::int64_t i = 0; i < places.cols; ++i)
      out[static_cast<std::size_t>(row * places.cols + i)] += added[static_cast<std::size_t>(i)];
  }
}

}  // namespace

RowPlaces lay_out(const Batch& batch, const BatchForm& form, BatchScratch& scratch, Image& image) {
  see_rows(batch.sequences, batch.rows(), scratch);
  scratch.in_block.assign(static_cast<std::size_t>(batch.rows()), 0);
  for (const RowRange& range : batch.block_rows) std::fill_n(scratch.in_block.begin() + range.first, range.count, 1);
  scratch.requests.set(batch.requests, batch.vocabulary);
  expand_tokens(batch, scratch.embedded);
  const auto all = [](const auto& values) { return std::span(std::as_const(values)); };
  const std::int32_t counts[] = {static_cast<std::int32_t>(batch.rows()),
                                 static_cast<std::int32_t>(batch.requests.size())};
  image.clear();
  RowPlaces places{};
  places.counts = image.add(std::span<const std::int32_t>(counts));
  places.slots = image.add(batch.slots, form.rows);
  places.positions = image.add(batch.positions, form.rows);
  places.limits = image.add(all(scratch.limits), form.rows);
  places.hidden_first = image.add(all(scratch.hidden_first), form.rows);
  places.hidden_end = image.add(all(scratch.hidden_end), form.rows);
  places.in_block = image.add(all(scratch.in_block), form.rows);
  places.judged = image.add(batch.judged, form.judged);
  places.kv = image.add(all(scratch.kv), form.rows);
  places.requests = image.add(all(scratch.requests.requests), form.judged);
  places.embedded = image.add(all(scratch.embedded), form.rows * batch.embedding->cols);
  places.masks = image.add(all(scratch.requests.masks));
  return places;
}

DeviceRows RowPlaces::at(const std::byte* base) const {
  const auto ints = [&](std::int64_t place) { return reinterpret_cast<const std::int32_t*>(base + place); };
  return {ints(counts),
          ints(slots),
          ints(positions),
          ints(limits),
          ints(hidden_first),
          ints(hidden_end),
          ints(in_block),
          ints(judged),
          reinterpret_cast<const KvPlace*>(base + kv),
          reinterpret_cast<const Request*>(base + requests),
          reinterpret_cast<const std::uint64_t*>(base + masks),
          reinterpret_cast<const float*>(base + embedded)};
}

}  // namespace cinnabar::kernels::cuda
