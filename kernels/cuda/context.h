// What every operation of the CUDA backend works with: the device, and memory on it that grows to the largest call.
// Used by one thread at a time.
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "kernels/backend.h"
#include "kernels/cuda/batch_image.h"
#include "kernels/cuda/memory.h"
#include "kernels/rope_table.h"
#include "kernels/score_parts.h"

namespace cinnabar::kernels::cuda {

struct DeviceRopeTable {
  RopeTable host;
  std::int64_t positions = 0;  // on the device
  Memory cosines, sines;
};

// Small host arrays that operations by themselves need on the device.
struct Arguments {
  Image image;
  Memory memory;
};

// What batches of a form start, recorded. Empty at first: such a batch has been run once and did nothing else.
struct Graph {
  const void* owner;
  BatchForm form;
  std::int64_t releases;  // of the device's memory when it was recorded: an address may be another's since
  std::int64_t scored;    // runs of a judged row's logits, 0: none is judged
  Recording recording;
};

// The forward under way, when it is one of few rows.
struct Forward {
  const Batch* batch = nullptr;
  BatchForm form;
  DeviceRows rows{};
  std::int64_t scored = 0;
  BatchScratch scratch;
  Image image;
  Memory memory;
  std::vector<Graph> graphs;
};

struct Context {
  explicit Context(std::unique_ptr<Device> opened) : device(std::move(opened)) {}

  // `memory` with at least `bytes`: zeros, or what the last operation left. False: there is none; the operation under
  // way has no result and failure() says so.
  bool grow(Memory& memory, std::int64_t bytes);
  Status failure() const { return no_memory.ok() ? device->failure() : no_memory; }

  // The values on the device until the next call; null: no memory.
  const std::int32_t* upload_ints(std::span<const std::int32_t> values);
  bool upload_arguments();  // what `arguments.image` holds, to arguments.memory
  bool make_room_for_scores(std::int64_t rows, std::int64_t vocabulary);
  // Waits for the parts, `runs` a row, and combines them.
  void collect_scores(std::int64_t runs, std::span<const ScoreRequest> requested, std::span<Score> out);

  std::unique_ptr<Device> device;
  Memory rounded, scales;   // activations of the product under way (linear.cu)
  Memory partial, arrived;  // attention of pieces of a sequence
  Memory logits, parts;
  std::vector<ScorePart> host_parts;
  Arguments arguments;
  BatchScratch seen;  // of operations by themselves
  Forward forward;
  std::vector<DeviceRopeTable> rope_tables;
  Status no_memory;
};

// Parts of operations that others need, each in the file of its subject.
const DeviceRopeTable* rope_table(Context& context, const RopeSpec& spec, std::int64_t positions);
// Attention of `count` rows (those beyond rows.counts[0] are left out) in `pieces` of kPiece slots at most.
void attend_rows(Context& context, const KvShape& shape, const Rows& q, const DeviceRows& rows, std::int64_t count,
                 std::int64_t pieces, int layer, float scale, const Rows& out);
// Summaries of the runs of each row's logits, to context.parts; how many runs.
std::int64_t summarize_rows(Context& context, const Rows& logits, const Request* requests, const std::uint64_t* masks,
                            const std::int32_t* count);

inline unsigned blocks(std::int64_t items, std::int64_t each) {
  return static_cast<unsigned>((items + each - 1) / each);
}

}  // namespace cinnabar::kernels::cuda
