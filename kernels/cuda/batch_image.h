// The rows of the forward under way on the device. All that kernels need to know of them lies in one piece of memory,
// which one copy fills, at places that depend on the batch's form alone: kernels take pointers, and what was recorded for
// one batch runs for the next of its form.
#pragma once

#include <cstring>
#include <span>
#include <vector>

#include "kernels/batch.h"

namespace cinnabar::kernels::cuda {

inline constexpr std::int64_t kPiece = 256;     // slots that a block of attention reads
inline constexpr std::int64_t kFusedRows = 32;  // up to here a layer is five launches; more are bound by their products

// Where the keys of a row's sequence lie: of layer 0 and head 0; `plane` values of one head's keys.
struct KvPlace {
  std::uint16_t* keys;
  std::int64_t plane;
};

// A ScoreRequest as the device reads it.
struct Request {
  std::uint64_t seed;
  float temperature;
  std::uint32_t step, position;
  std::int32_t asked;
  std::int32_t mask;  // which of the masks; -1: every token is allowed
  std::int32_t ranked;
};

// On the device: `counts` of rows and judged rows, then vectors with an entry a row, and of `judged` and `requests` a
// judged row.
struct DeviceRows {
  const std::int32_t *counts, *slots, *positions, *limits, *hidden_first, *hidden_end, *in_block, *judged;
  const KvPlace* kv;
  const Request* requests;
  const std::uint64_t* masks;  // [masks][words of the vocabulary]
  const float* embedded;       // [rows, D]
};

// Batches alike in this start the same kernels. Rows and judged rows are rounded up to 8, pieces to a power of two.
struct BatchForm {
  std::int64_t rows = 0, judged = 0, pieces = 0;
  bool additions = false;
  bool operator==(const BatchForm&) const = default;
};
BatchForm form_of(const Batch& batch);

// Values on their way to the device in one copy.
class Image {
 public:
  void clear() { bytes_.clear(); }
  std::int64_t size() const { return std::ssize(bytes_); }
  const void* data() const { return bytes_.data(); }
  // Where `values`, and behind them zeros up to `capacity`, lie.
  template <typename T>
  std::int64_t add(std::span<const T> values, std::int64_t capacity = 0) {
    const std::int64_t at = (size() + 15) / 16 * 16;
    const std::int64_t count = capacity > std::ssize(values) ? capacity : std::ssize(values);
    bytes_.resize(static_cast<std::size_t>(at + count * std::int64_t{sizeof(T)}));
    if (!values.empty()) std::memcpy(bytes_.data() + at, values.data(), values.size_bytes());
    return at;
  }

 private:
  std::vector<std::byte> bytes_;  // keeps its memory
};

// Requests with the masks that they name; a mask that several share is there once.
struct RequestImage {
  std::vector<Request> requests;
  std::vector<std::uint64_t> masks;
  void set(std::span<const ScoreRequest> from, std::int64_t vocabulary);
};

// Places in an image.
struct RowPlaces {
  std::int64_t counts, slots, positions, limits, hidden_first, hidden_end, in_block, judged, kv, requests, embedded,
      masks;
  DeviceRows at(const std::byte* base) const;
};

// Fills `image` with the batch; its memory and `scratch`'s are used again.
struct BatchScratch {
  std::vector<std::int32_t> limits, hidden_first, hidden_end, in_block;
  std::vector<KvPlace> kv;
  std::vector<float> embedded;
  RequestImage requests;
};
RowPlaces lay_out(const Batch& batch, const BatchForm& form, BatchScratch& scratch, Image& image);
// What attention needs of rows, into scratch.limits, hidden_first, hidden_end and kv.
void see_rows(std::span<const AttentionSegment> sequences, std::int64_t rows, BatchScratch& scratch);

}  // namespace cinnabar::kernels::cuda
