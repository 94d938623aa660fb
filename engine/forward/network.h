// The decoder core on a device: packed weights and one forward over the Backend's operations. Stands between decode.cc
// (which rows to run) and kernels (how). Pre-norm decoder layers: a norm, grouped-query attention, a norm, a feed-forward
// part (2302.13971, 2407.10671, 2402.19173); what varies between families is a field of ModelSpec.
//
// Threads: one thread at a time (the engine's). The weights never change after create().
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/forward/expert_layer.h"
#include "engine/forward/padded_heads.h"
#include "engine/model/weights.h"
#include "kernels/backend.h"

namespace cinnabar::engine {

// One row of a forward. A clean row runs with the base weights; a block row (masked or revealed position of the block
// under way) with base + gated adapter. Writing a slot replaces what an earlier forward left there.
struct ForwardRow {
  std::int32_t token;
  std::int32_t slot;
  std::int32_t limit;  // sees slots [0, limit); limit > slot unless only the past is wanted
  bool in_block = false;
  bool judged = false;             // goes through the output head
  std::int32_t position = -1;      // rotary position; -1: the slot
  kernels::SlotRange hidden = {};  // slots below the limit that it does not see
};

// The rows of one sequence, in the order in which they are stored; clean rows before block rows.
struct ForwardSegment {
  kernels::KvStore* kv;
  std::vector<ForwardRow> rows;
};

class Network {
 public:
  // Packs `model` for `backend` (borrowed, must outlive the network). A gated adapter is kept apart and used on block
  // rows; pass null for none. Fails when memory runs out or an adapter does not fit the spec.
  static Result<std::unique_ptr<Network>> create(const LoadedModel& model, const Adapter* gated,
                                                 kernels::Backend& backend, kernels::Compute compute);
  ~Network();

  const ModelSpec& spec() const { return spec_; }  // the model's, but for padded heads
  kernels::Backend& backend() const { return backend_; }
  bool has_adapter() const { return has_adapter_; }
  // Bytes of weights one forward of a few rows streams (layers + head, scales included).
  std::int64_t streamed_bytes() const;
  // Whether weights keep a file's 4 to 6 bits and are expanded in every forward.
  bool is_narrow() const;

  // One forward of all segments' rows (at most max_rows()); out[i] judges the i-th judged row in order, as requests[i]
  // asks. One call = one NFE. Fails for lack of memory and for too many rows.
  Status forward(std::span<const ForwardSegment> segments, std::span<const kernels::ScoreRequest> requests,
                 std::span<kernels::Score> out);
  // The same with the judged rows' logits [R, V] instead of their scores; for golden tests and calibration.
  Status forward_logits(std::span<const ForwardSegment> segments, std::vector<float>& logits);

  static constexpr std::int64_t max_rows() { return 4096; }  // a canvas under full attention runs whole

 private:
  struct Group;
  struct Layer;
  struct Scratch;
  struct Batch;

  Network(const ModelSpec& spec, kernels::Backend& backend);
  Status pack(const LoadedModel& model, kernels::Compute compute);
  Status pack_layer(const LayerWeights& stored, kernels::Compute compute, Layer& to);
  Status pack_adapter(const Adapter& adapter, kernels::Compute compute);
  Status pack_addition(const LayerAdapter& from, ProductGroup group, kernels::Compute compute, Group& to);
  Status reserve(std::int64_t rows);
  void run_layers(const Batch& batch);
  void project(const Layer& layer, int index, const kernels::Batch& batch);
  void attend(const Layer& layer, int index, const kernels::Batch& batch);
  void feed_forward(const Layer& layer, const kernels::Batch& batch);
  kernels::Rows qkv(std::int64_t rows) const;
  kernels::Normed normed(kernels::Buffer& weight, const std::unique_ptr<kernels::Buffer>& bias,
                         std::int64_t rows) const;
  Status check_positions(const Batch& batch) const;

  ModelSpec spec_;  // with heads as the device takes them
  PaddedHeads heads_;
  kernels::Backend& backend_;
  kernels::StoredMatrix embedding_{};
  std::vector<std::byte> embedding_bytes_;  // a copy: the checkpoint's mapping need not stay
  std::unique_ptr<kernels::Matrix> head_;
  kernels::StoredMatrix positions_{};  // no data without learned positions
  std::vector<std::byte> position_bytes_;
  std::unique_ptr<kernels::Buffer> final_norm_;
  std::unique_ptr<kernels::Buffer> final_norm_bias_, head_bias_;  // null without
  std::vector<Layer> layers_;
  bool has_adapter_ = false;
  std::unique_ptr<Scratch> scratch_;
};

}  // namespace cinnabar::engine
