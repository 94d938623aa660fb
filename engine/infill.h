// A hole and its surroundings in, text out: the engine's front door. Owns the loaded model, the network on its device,
// and the keys and values of the places asked about lately.
//
// Threads: one thread at a time. Errors leave the engine usable.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/decoding/block_diffusion.h"
#include "engine/decoding/decode.h"
#include "engine/decoding/in_place.h"
#include "engine/decoding/prompt.h"
#include "engine/decoding/verified.h"
#include "engine/forward/device.h"

namespace cinnabar::engine {

enum class Mode : std::uint8_t { autoregressive, verified, diffusion };
std::optional<Mode> parse_mode(std::string_view text);  // "autoregressive", "verified", "diffusion"
std::string_view name(Mode mode);

struct InfillToken {
  std::int32_t id = 0;
  float probability = 0;
  std::size_t end = 0;  // bytes of the answer's text up to here; 0 while the token only spells what stands before it
  float margin = 0;     // best minus second probability, where that is known; else the least it can be
};

// Going on from the beginning of an earlier answer to the same request.
struct Resume {
  std::vector<InfillToken> tokens;      // its first ones; they stay, and are as probable as they were
  std::vector<std::int32_t> forbidden;  // none of these may come next
  bool empty() const { return tokens.empty() && forbidden.empty(); }
};

// A hole behind another one on the same canvas.
struct NextHole {
  std::string between;  // the text from the hole before to this one
  EndRule end = EndRule::line;
  OtherEnd other_end = {};
  int max_tokens = 128;
};

struct InfillRequest {
  std::string prefix, suffix;          // bytes before the hole and behind it, or behind the last of several
  Context context;                     // text from elsewhere, the stablest first; as much is read as its budget holds
  std::optional<std::string> heading;  // whole lines before what is shown of the prefix: what file this is
  PromptBudget budget;                 // how much of prefix, suffix and context the model reads, at most
  EndRule end = EndRule::line;
  OtherEnd other_end;    // shortens what `end` allows; may be empty
  int max_tokens = 128;  // 1 .. 1024
  Mode mode = Mode::verified;
  DraftOptions drafts;      // verified mode, and diffusion mode under a gated adapter
  BlockOptions block;       // diffusion mode, block-causal models
  float keep = 0.7f;        // the same under a gated adapter: Acceptance::keep; its `sure` is block.choice.value
  InPlaceOptions in_place;  // diffusion mode, full-attention models
  SamplingOptions sampling;
  int candidates = 1;  // 1 .. 8; beyond the first they are sampled (temperature at least 0.6)
  std::string former;  // an earlier answer in this place, or the text being edited: a draft
  Resume resume;       // of one hole
  // The whole prompt, laid out by the caller; prefix and suffix are not shown to the model, but `end` is judged by them.
  std::vector<PromptPart> parts;
  // Text whose probability is wanted: nothing is decoded, the answer is this text, and its path says how probable each
  // of its tokens is.
  std::optional<std::string> scored;
  // Further holes, filled together with the first by models that see both sides (Engine::fills_together).
  std::vector<NextHole> next;
};

struct InfillAnswer {
  std::string text;
  StopReason reason = StopReason::length;
  int tokens = 0;
  std::vector<InfillToken> path = {};  // all tokens, in order; the last may lie behind the text's end
};

struct InfillResult {
  std::vector<InfillAnswer> answers;  // the first is the greedy one; equal texts are given once
  std::vector<InfillAnswer> next;     // of the further holes, one each
  DecodeStats decode;
  int prompt_tokens = 0;
  int reused_tokens = 0;  // of the prompt, whose keys and values were there already
  double prompt_milliseconds = 0;
};

inline constexpr std::string_view kNoAdapter = "none";
struct EngineOptions {
  std::string model;    // path, see open_checkpoint
  std::string adapter;  // path; empty: adapter.gguf in the model's folder, where there is one; or kNoAdapter
  DeviceOptions device;
  kernels::Compute compute = kernels::Compute::int8;
  int places = 3;               // prompts whose keys and values are kept
  std::int64_t context = 4096;  // tokens of keys and values a place has room for
};

class EngineFilling;
struct Place;
enum class Purpose : std::uint8_t;

class Engine {
 public:
  // Opens model and adapter on the device that the options describe.
  static Result<std::unique_ptr<Engine>> open(const EngineOptions& options);
  // The same on a given device.
  static Result<std::unique_ptr<Engine>> open(const EngineOptions& options, std::unique_ptr<kernels::Backend> backend);
  ~Engine();

  const ModelSpec& spec() const { return network_->spec(); }
  const Tokenizer& tokenizer() const { return *tokenizer_; }
  Network& network() { return *network_; }
  // Whether a request may have several holes.
  bool fills_together() const { return spec().attention == Attention::full; }
  // "cpu (amx, 2 threads)".
  std::string device() const { return backend_->description(); }
  Status failure() const { return backend_->failure(); }

  // Fills one hole. A request that was cancelled or ran out of time while its prompt was read has no answers' text.
  Result<InfillResult> infill(const InfillRequest& request, const DecodeLimits& limits,
                              const StepObserver& observer = {});
  // Reads a request's prompt in advance, so that it only has to decode. What was read before the limits said stop
  // stays.
  Status warm(const InfillRequest& request, const DecodeLimits& limits);

  // The same for several requests together: takes one up without running anything, and runs the next forward of all
  // that are not finished, after a look at their limits. A row's result does not depend on the rows beside it, so
  // neither does an answer. At most EngineOptions::places are under way at a time; they end before the engine.
  Result<std::unique_ptr<EngineFilling>> begin(const InfillRequest& request, const DecodeLimits& limits,
                                               Purpose purpose);
  Status advance(std::span<EngineFilling* const> fillings);
  int most_together() const { return options_.places; }

 private:
  explicit Engine(const EngineOptions& options);
  Result<Place*> place_for(std::span<const std::int32_t> tokens);
  Result<Prompt> fitting_prompt(const InfillRequest& request) const;

  EngineOptions options_;
  std::unique_ptr<kernels::Backend> backend_;  // outlives what is packed for it
  std::unique_ptr<Tokenizer> tokenizer_;
  std::unique_ptr<Network> network_;
  std::vector<std::unique_ptr<Place>> places_;
  std::uint64_t clock_ = 0;
  double row_milliseconds_ = 0;  // while prompts are read
};

}  // namespace cinnabar::engine
