#include "daemon/server/shared_model.h"

namespace cinnabar::daemon {

std::optional<ModelOptions> SharedModel::request_model(engine::ClientId client, const ModelOptions& engine) {
  wishes_.insert_or_assign(client, engine);
  return decide();
}

std::optional<ModelOptions> SharedModel::client_left(engine::ClientId client) {
  wishes_.erase(client);
  return decide();
}

bool SharedModel::is_served(engine::ClientId client) const {
  const auto wish = wishes_.find(client);
  return wish == wishes_.end() || same_model(wish->second, present_);
}

std::optional<ModelOptions> SharedModel::decide() {
  if (wishes_.empty() || same_model(wishes_.begin()->second, present_)) return std::nullopt;
  return present_ = wishes_.begin()->second;
}

}  // namespace cinnabar::daemon
