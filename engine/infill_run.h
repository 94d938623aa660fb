// A request on the engine, forward by forward: its prompt is read, then its answers are decoded. Made by Engine::begin,
// run by Engine::advance.
//
//   reading --(prompt read)--> searching --(lengths known)--> decoding --(all answers complete)--> finished
//      \--(Purpose::warm, or the limits)--\--(the limits)-------\--(the limits)-----------------------/
//
// Only holes of one canvas whose length nobody says are searched for it (length_search.h).
//
// Engine thread only. Keeps its cache slot (keys and values) from others until it is destroyed, which must be before its
// engine.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/decoding/decode.h"
#include "engine/decoding/length_search.h"
#include "engine/decoding/prompt.h"
#include "engine/forward/kv_cache.h"
#include "engine/infiller.h"

namespace cinnabar::engine {

class InfillRun;

// The keys and values of one prompt and what follows it, kept for the next request in the same place of a text.
struct CacheSlot {
  KvCache cache;
  std::uint64_t used = 0;    // by the engine's count of requests
  InfillRun* run = nullptr;  // the request under way there
};

class InfillRun final : public Infill {
 public:
  struct Resources {
    Network& network;
    const Tokenizer& tokenizer;
    CacheSlot& slot;
    std::int64_t context;  // tokens that the slot has room for
  };
  static Result<std::unique_ptr<InfillRun>> begin(const Resources& resources, InfillRequest request, Prompt prompt,
                                                  DecodeLimits limits, Purpose purpose);
  ~InfillRun() override;
  InfillRun(const InfillRun&) = delete;
  InfillRun& operator=(const InfillRun&) = delete;

  bool finished() const override { return phase_ == Phase::finished; }
  std::string text() const override;
  InfillResult take() override;

  bool reading() const { return phase_ == Phase::reading; }
  bool only_warms() const { return purpose_ == Purpose::warm; }
  int most_rows() const;  // of its next forward, at most
  // Ends it if its limits say so; the open answers carry the reason.
  void check_limits();
  // The prompt's next rows, at most `most` of them, while it is read.
  std::optional<ForwardSegment> read(int most);
  // What is to be decoded; none while the prompt is read.
  std::span<Decoding* const> decodings() const { return decodings_; }
  // After the forward of what read() or decodings() gave, which took so long.
  Status stepped(double milliseconds);
  const DecodeStats& stats() const { return result_.decode; }

 private:
  enum class Phase : std::uint8_t { reading, searching, decoding, finished };

  InfillRun(const Resources& resources, InfillRequest request, Prompt prompt, DecodeLimits limits, Purpose purpose);
  bool in_place() const { return resources_.network.spec().attention == Attention::full; }
  int unread() const;
  // Tokens whose keys and values depend on one another: a block's where blocks are tiled; else a token's alone.
  int unit() const;
  void begin_reading();
  // Goes on to the next phase where this one has nothing more to run.
  Status advance_phase();
  Status begin_block_causal();
  Status begin_in_place();
  bool searches() const;
  std::vector<int> most_masks() const;  // of each hole
  Canvas canvas_of(std::span<const int> masks) const;
  // The round's next canvases, as many as a forward has room for.
  Status begin_probes();
  Status end_probes();
  int count_tokens() const;
  InPlaceOptions in_place_options_of(int candidate) const;
  bool grows() const;  // a hole of one canvas, by the model's own tokens
  SamplingOptions sampling_of(int candidate) const;
  Answer make_answer() const;
  std::vector<Answer> make_answers() const;  // of all holes
  std::unique_ptr<Decoding> make_decoding(KvCache& cache, int candidate) const;

  Resources resources_;
  InfillRequest request_;
  Prompt prompt_;
  DecodeLimits limits_;
  Purpose purpose_;
  Phase phase_ = Phase::reading;
  int prompt_rows_ = 0;  // of the forward under way
  std::optional<LengthSearch> search_;
  std::vector<std::unique_ptr<LengthProbe>> probes_;  // of the forward under way
  std::vector<float> sureness_;                       // of the round so far
  std::vector<KvCache> forks_;
  std::vector<std::unique_ptr<Decoding>> owned_;
  std::vector<Decoding*> decodings_;
  int tokens_ = 0;       // of all answers
  int probed_rows_ = 0;  // of the search's forwards
  InfillResult result_;
};

// Rows of one forward while a prompt is read: as many as this device computes within the latency that a cancellation
// may have meanwhile, a shorter one where `somebody_waits` (beside others' decoding, and while a prompt is only
// warmed). `row_milliseconds`: what a row has cost so far; 0: not known yet.
inline constexpr int kLeastPromptRows = 16;  // fewer cost a forward about as much
inline constexpr int kMostPromptRows = 256;
inline constexpr int kLeastNarrowRows = 64;  // of narrow weights, whose expansion takes as long for one row as for all
int prompt_rows(double row_milliseconds, bool somebody_waits, int least);

// Rows that a forward may run behind the longest answer: drafts and masks, or a block.
int rows_ahead(const InfillRequest& request, const ModelSpec& spec);

}  // namespace cinnabar::engine
