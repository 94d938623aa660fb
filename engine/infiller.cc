#include "engine/infiller.h"

#include <utility>
#include <vector>

namespace cinnabar::engine {
namespace {

class EngineInfiller final : public Infiller {
 public:
  explicit EngineInfiller(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}

  Result<std::unique_ptr<Filling>> begin(const InfillRequest& request, const DecodeLimits& limits,
                                         Purpose purpose) override {
    auto filling = engine_->begin(request, limits, purpose);
    if (!filling) return filling.status();
    return std::unique_ptr<Filling>(std::move(filling).value());
  }

  Status advance(std::span<Filling* const> fillings) override {
    std::vector<EngineFilling*> own;
    own.reserve(fillings.size());
    for (Filling* filling : fillings) own.push_back(static_cast<EngineFilling*>(filling));
    return engine_->advance(own);
  }

  Status failure() const override { return engine_->failure(); }
  int most_together() const override { return engine_->most_together(); }
  std::string description() const override { return engine_->spec().family + " on " + device(); }
  std::string device() const override { return engine_->device(); }
  bool fills_together() const override { return engine_->fills_together(); }

 private:
  std::unique_ptr<Engine> engine_;
};

}  // namespace

std::unique_ptr<Infiller> make_infiller(std::unique_ptr<Engine> engine) {
  return std::make_unique<EngineInfiller>(std::move(engine));
}

}  // namespace cinnabar::engine
