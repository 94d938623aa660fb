// The denoising step, the one loop body of all decoding. A Decoding is one answer under way: it proposes the rows of its
// next forward and absorbs what the forward says about them. run_step() runs one forward for any number of decodings and
// for prompts that are being read; whoever calls it again until all is complete looks at limits in between
// (engine/engine.cc). One forward is one NFE (network function evaluation).
//
// Kinds of decoding: speculative.h (autoregressive, alone or with verified drafts, and denoising with remasking under a
// gated adapter), block_diffusion.h (block-causal denoising), in_place.h (denoising under full attention), scoring.h
// (a given text).
//
// Engine thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "engine/decoding/answer.h"
#include "engine/forward/network.h"

namespace cinnabar::engine {

struct Proposal {
  ForwardSegment segment;
  std::vector<kernels::ScoreRequest> requests;  // one per judged row, in order
  // Where these ask for it, the judged rows' logits leave the device and are judged here (host_judge.h).
  SamplingOptions sampling{};  // its filters
  float guidance = 0;          // above 0: by `unguided`
  ForwardSegment unguided{};   // the same rows, in another store, without the text that the answer is to follow
  bool by_logits() const { return guidance > 0 || sampling.filters(); }
};

// A position of the answer as it can be shown while it settles.
struct ShownToken {
  std::int32_t token;  // -1: masked
  float probability;   // 0 when masked
};

// Gets the logits [V] of a judged row as the forward computed them, before anything is shifted, filtered or chosen. `slot`:
// the row's place in its sequence.
using LogitsSink = std::function<void(std::int32_t slot, std::span<const float> logits)>;

class Decoding {
 public:
  virtual ~Decoding() = default;
  // The next forward's rows; never empty while the answer is not complete.
  virtual void propose(Proposal& proposal) = 0;
  // The judged rows' scores, in order. May complete the answer.
  virtual void absorb(std::span<const kernels::Score> scores) = 0;
  // One, but where several holes are denoised on one canvas: in their order.
  virtual std::span<Answer> answers() = 0;
  Answer& answer() { return answers().front(); }
  bool complete();
  int tokens();                       // of all its answers
  int rows() const { return rows_; }  // of all its forwards
  // Ends what is not complete: it then holds a beginning.
  virtual void stop(StopReason reason) { answer().stop(reason); }
  // The answer with what is still open: committed tokens, then drafts or masks under way.
  virtual std::vector<ShownToken> view() const = 0;
  // By position; empty where nothing is drafted.
  virtual std::span<const DraftCount> drafts() const { return {}; }

 private:
  friend Result<int> run_step(Network&, std::span<Decoding* const>, std::vector<ForwardSegment>, const LogitsSink&);
  void take(std::span<const kernels::Score> scores);
  int rows_ = 0;
};

// Runs one forward: the rows of `prompts`, which nobody judges, and what each decoding proposes that is not complete,
// which then absorbs what the forward says. Returns the number of rows. Fails only when the forward does. With a sink a
// decoding's rows run by themselves, and their logits leave the device.
Result<int> run_step(Network& network, std::span<Decoding* const> decodings, std::vector<ForwardSegment> prompts = {},
                     const LogitsSink& sink = {});

// Why the limits end a decoding now, if they do.
std::optional<StopReason> stop_reason(const DecodeLimits& limits);

}  // namespace cinnabar::engine
