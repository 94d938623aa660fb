// A request on the engine, forward by forward. Made by Engine::begin, run by Engine::advance.
//
// Engine thread only. Keeps its place (keys and values) from others until it is destroyed, which must be before its
// engine.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/filling.h"

namespace cinnabar::engine {

// The keys and values of one place in a text.
struct Place {
  KvCache cache;
  std::uint64_t used = 0;  // by the engine's count of requests
  bool taken = false;      // by a filling
};

enum class Purpose : std::uint8_t { fill, warm };  // warm: only the prompt is read

class EngineFilling final : public Filling {
 public:
  struct Room {
    Network& network;
    const Tokenizer& tokenizer;
    Place& place;
    std::int64_t context;  // slots of a place
  };
  static Result<std::unique_ptr<EngineFilling>> begin(const Room& room, InfillRequest request, Prompt prompt,
                                                      DecodeLimits limits, Purpose purpose);
  ~EngineFilling() override;
  EngineFilling(const EngineFilling&) = delete;
  EngineFilling& operator=(const EngineFilling&) = delete;

  bool finished() const override { return phase_ == Phase::finished; }
  std::string text() const override;
  InfillResult take() override;

  bool reading() const { return phase_ == Phase::reading; }
  bool only_warms() const { return purpose_ == Purpose::warm; }
  int most_rows() const;  // of its next forward, at most
  // Ends it if its limits say so; the open answers carry the reason.
  void heed_limits();
  // Its rows of the next forward; while its prompt is read at most `chunk`.
  void add_to(Step& step, int chunk);
  // After that forward, which took so long.
  Status stepped(double milliseconds);
  // None while the prompt is read.
  std::span<Decoding* const> decodings() const { return decodings_; }
  const DecodeStats& stats() const { return result_.decode; }

 private:
  enum class Phase : std::uint8_t { reading, decoding, finished };

  EngineFilling(const Room& room, InfillRequest request, Prompt prompt, DecodeLimits limits, Purpose purpose);
  bool in_place() const { return room_.network.spec().attention == Attention::full; }
  int unread() const;
  void begin_reading();
  // Goes on to the next phase where this one has nothing more to run.
  Status settle();
  Status begin_block_causal();
  Status begin_in_place();
  Answer make_answer() const;
  std::vector<Answer> make_answers() const;  // of all holes
  std::unique_ptr<Decoding> make_decoding(KvCache& cache, int candidate) const;

  Room room_;
  InfillRequest request_;
  Prompt prompt_;
  DecodeLimits limits_;
  Purpose purpose_;
  Phase phase_ = Phase::reading;
  int chunk_ = 0;  // prompt rows of the forward under way
  std::vector<KvCache> forks_;
  std::vector<std::unique_ptr<Decoding>> owned_;
  std::vector<Decoding*> decodings_;
  int tokens_ = 0;  // of all answers
  InfillResult result_;
};

// Rows of one forward while a prompt is read: as many as this device computes within the latency that a cancellation
// may have meanwhile, a shorter one where `somebody_waits` (beside others' decoding, and while a prompt is only
// warmed). `row_milliseconds`: what a row has cost so far; 0: not known yet.
inline constexpr int kPromptChunk = 256;  // at most
int prompt_chunk(double row_milliseconds, bool somebody_waits);

// Rows that a forward may run behind the longest answer: drafts and masks, or a block.
int rows_ahead(const InfillRequest& request, const ModelSpec& spec);

}  // namespace cinnabar::engine
