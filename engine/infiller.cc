#include "engine/infiller.h"

#include <utility>

namespace cinnabar::engine {
namespace {

class EngineInfiller final : public Infiller {
 public:
  explicit EngineInfiller(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}

  Result<InfillResult> infill(const InfillRequest& request, const DecodeLimits& limits,
                              const TextObserver& observer) override {
    return engine_->infill(request, limits, [&](std::span<Decoding* const> decodings, const DecodeStats&) {
      observer(decodings.front()->answer().text());
    });
  }

  Status warm(const InfillRequest& request, const DecodeLimits& limits) override {
    return engine_->warm(request, limits);
  }

  std::string description() const override { return engine_->spec().family + " on " + device(); }
  std::string device() const override { return engine_->device(); }

 private:
  std::unique_ptr<Engine> engine_;
};

}  // namespace

std::unique_ptr<Infiller> make_infiller(std::unique_ptr<Engine> engine) {
  return std::make_unique<EngineInfiller>(std::move(engine));
}

}  // namespace cinnabar::engine
