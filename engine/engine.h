// The engine: a hole and its surroundings in, text out. Owns the loaded model, the network on its device, and the keys
// and values of the prompts that it was asked about lately.
//
// Threads: one thread at a time. Errors leave the engine usable.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/forward/device.h"
#include "engine/forward/network.h"
#include "engine/infiller.h"
#include "engine/tokenizer/tokenizer.h"

namespace cinnabar::engine {

inline constexpr std::string_view kNoAdapter = "none";
// What Mode::automatic comes to on a device, where the model can do that; else what mode_for makes of it.
struct PreferredModes {
  Mode cpu = Mode::automatic, gpu = Mode::automatic;
};

struct EngineOptions {
  std::string model;    // path, see open_checkpoint
  std::string adapter;  // path; empty: adapter.gguf in the model's folder, where there is one; or kNoAdapter
  DeviceOptions device;
  std::optional<kernels::Compute> compute;  // empty: choose_compute (engine/forward/device.h)
  int cache_slots = 3;                      // prompts whose keys and values are kept, and requests under way at a time
  std::int64_t context = 4096;              // tokens that a cache slot has room for
  // What is known of the model beside its file: where nothing is said, the file decides.
  std::optional<InfillLayout> infill;
  PreferredModes modes;
  DenoiseOptions denoise;  // goes before ModelSpec::denoise
};

class Decoding;
class InfillRun;
struct CacheSlot;
struct Prompt;

// Called after every decoding step; cannot change the decodings.
using StepObserver = std::function<void(std::span<Decoding* const>, const DecodeStats&)>;
// As in decode.h. A forward that runs several requests gives it the rows of all.
using LogitsSink = std::function<void(std::int32_t slot, std::span<const float> logits)>;

class Engine final : public Infiller {
 public:
  // Opens model and adapter on the device that the options describe.
  static Result<std::unique_ptr<Engine>> open(const EngineOptions& options);
  // The same on a given device.
  static Result<std::unique_ptr<Engine>> open(const EngineOptions& options, std::unique_ptr<kernels::Backend> backend);
  ~Engine() override;

  const ModelSpec& spec() const { return network_->spec(); }
  const Tokenizer& tokenizer() const { return *tokenizer_; }
  Network& network() { return *network_; }

  // One request from beginning to end. A request that was cancelled or ran out of time while its prompt was read has no
  // answers' text. What else is under way goes on meanwhile.
  Result<InfillResult> infill(const InfillRequest& request, const DecodeLimits& limits,
                              const StepObserver& observer = {}, const LogitsSink& sink = {});

  // Several requests share each forward. A row's result does not depend on the rows beside it, so neither does an
  // answer.
  Result<std::unique_ptr<Infill>> begin(const InfillRequest& request, const DecodeLimits& limits,
                                        Purpose purpose) override;
  Status advance() override;
  Status failure() const override { return backend_->failure(); }
  int most_together() const override { return options_.cache_slots; }
  std::string description() const override { return spec().family + " on " + device(); }
  std::string device() const override { return backend_->description(); }
  std::string no_gpu() const override { return no_gpu_; }
  bool fills_together() const override { return spec().attention == Attention::full; }
  Result<Way> way_of(Mode mode) const override;

 private:
  explicit Engine(const EngineOptions& options);
  Result<std::unique_ptr<InfillRun>> begin_run(const InfillRequest& request, const DecodeLimits& limits,
                                               Purpose purpose);
  Result<CacheSlot*> slot_for(std::span<const std::int32_t> tokens);
  Result<Prompt> fitting_prompt(const InfillRequest& request) const;
  Result<Mode> mode_of(Mode wanted) const;
  Status step(std::span<InfillRun* const> runs, int most_prompt_rows);

  EngineOptions options_;
  std::unique_ptr<kernels::Backend> backend_;  // outlives what is packed for it
  std::string no_gpu_;
  std::unique_ptr<Tokenizer> tokenizer_;
  std::unique_ptr<Network> network_;
  std::vector<std::unique_ptr<CacheSlot>> slots_;
  std::uint64_t clock_ = 0;
  LogitsSink sink_;              // of the request that infill() runs
  double row_milliseconds_ = 0;  // while prompts are read
};

}  // namespace cinnabar::engine
