// The denoising loop. A Decoding is one answer under way: it proposes the rows of its next forward and absorbs what the
// forward says about them; the loop runs forwards, batches several decodings, and stops between steps. One forward of
// the loop is one NFE (network function evaluation).
//
// Three kinds of decoding stand behind the interface: verified.h (autoregressive, alone or with verified drafts, and
// denoising with remasking under a gated adapter), block_diffusion.h (block-causal denoising), in_place.h (denoising
// under full attention).
//
// Engine thread only. Cancellation and deadline are looked at once before every forward, so their latency is one
// forward.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "engine/decoding/answer.h"
#include "engine/forward/network.h"

namespace cinnabar::engine {

struct Proposal {
  ForwardSegment segment;
  std::vector<kernels::ScoreRequest> requests;  // one per judged row, in order
};

// What became of the drafts' tokens at one position behind the last known token.
struct DraftCount {
  int drafted = 0, accepted = 0;
};
void add(std::vector<DraftCount>& all, std::span<const DraftCount> more);

// A position of the answer as it can be shown while it settles.
struct ShownToken {
  std::int32_t token;  // -1: masked
  float probability;   // 0 when masked
};

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
  int tokens();  // of all its answers
  // Ends what is not complete: it then holds a beginning.
  virtual void stop(StopReason reason) { answer().stop(reason); }
  // The answer with what is still open: committed tokens, then drafts or masks under way.
  virtual std::vector<ShownToken> view() const = 0;
  // By position; empty where nothing is drafted.
  virtual std::span<const DraftCount> drafts() const { return {}; }
};

// The rows of one forward, from several decodings and from prompts that are being read.
class Step {
 public:
  void add(ForwardSegment segment);  // rows that nobody judges
  int add(Decoding& decoding);       // what it proposes; the number of its rows
  int rows() const { return rows_; }
  // Runs the forward, and the decodings absorb what it says about their rows.
  Status run(Network& network);

 private:
  struct Judged {
    Decoding* decoding;
    std::size_t rows;
  };
  std::vector<ForwardSegment> segments_;
  std::vector<kernels::ScoreRequest> requests_;
  std::vector<Judged> judged_;
  int rows_ = 0;
};

struct DecodeLimits {
  std::optional<std::chrono::steady_clock::time_point> deadline;
  std::stop_token cancel;
};

// Why the limits end a decoding now, if they do.
std::optional<StopReason> stop_reason(const DecodeLimits& limits);

struct DecodeStats {
  int nfe = 0;                       // forwards
  int rows = 0;                      // rows of all forwards
  std::vector<int> tokens_per_step;  // answer tokens gained in each forward, all decodings together
  std::vector<DraftCount> drafts;    // by position, when all is done
  double milliseconds = 0;           // the loop's wall clock
};

// Called after every step with the decodings; cannot change them.
using StepObserver = std::function<void(std::span<Decoding* const>, const DecodeStats&)>;

// Runs until every decoding's answer is complete or the limits say stop (the open answers then carry the reason). Fails
// only when a forward does.
Result<DecodeStats> decode(Network& network, std::span<Decoding* const> decodings, const DecodeLimits& limits,
                           const StepObserver& observer = {});

}  // namespace cinnabar::engine
