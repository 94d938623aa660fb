#include "daemon/server/shared_model.h"

namespace cinnabar::daemon {

bool same_engine(const engine::EngineOptions& a, const engine::EngineOptions& b) {
  return a.model == b.model && a.adapter == b.adapter && a.device.kind == b.device.kind &&
         a.device.cpu.threads == b.device.cpu.threads && a.device.cpu.isa == b.device.cpu.isa &&
         a.compute == b.compute && a.context == b.context;
}

std::optional<engine::EngineOptions> SharedModel::wants(engine::ClientId client, const engine::EngineOptions& engine) {
  wishes_.insert_or_assign(client, engine);
  return decide();
}

std::optional<engine::EngineOptions> SharedModel::leaves(engine::ClientId client) {
  wishes_.erase(client);
  return decide();
}

bool SharedModel::has_its_wish(engine::ClientId client) const {
  const auto wish = wishes_.find(client);
  return wish == wishes_.end() || same_engine(wish->second, present_);
}

std::optional<engine::EngineOptions> SharedModel::decide() {
  if (wishes_.empty() || same_engine(wishes_.begin()->second, present_)) return std::nullopt;
  return present_ = wishes_.begin()->second;
}

}  // namespace cinnabar::daemon
