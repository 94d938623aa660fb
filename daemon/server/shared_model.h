// Which model one daemon hosts when its clients' settings (`cinnabar.model` and the rest of the model group) differ.
//
// The client that has been there longest decides: its settings name the model, or leave it to the daemon's command
// line. Whoever came later and asks for another one keeps the shared model and is told so; it gets its own when those
// before it have gone. So nobody's model changes because somebody else opened an editor, and a user with one editor
// gets what the settings say at once.
//
// Pure: says what to load, loads nothing. Not thread-safe.
#pragma once

#include <map>
#include <optional>

#include "daemon/config/options.h"
#include "engine/runner.h"

namespace cinnabar::daemon {

class SharedModel {
 public:
  explicit SharedModel(ModelOptions own) : present_(std::move(own)) {}

  // A client's settings have come to name a model. Returns what is to be loaded in the present one's stead; none: it
  // stays. Ids grow: the lowest has been there longest.
  std::optional<ModelOptions> request_model(engine::ClientId client, const ModelOptions& engine);
  std::optional<ModelOptions> client_left(engine::ClientId client);

  const ModelOptions& present() const { return present_; }
  // False: others who were there before decide otherwise.
  bool is_served(engine::ClientId client) const;

 private:
  std::optional<ModelOptions> decide();

  ModelOptions present_;
  std::map<engine::ClientId, ModelOptions> wishes_;
};

}  // namespace cinnabar::daemon
