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

#include "engine/engine.h"
#include "engine/runner.h"

namespace cinnabar::daemon {

// Whether both would load the same model the same way.
bool same_engine(const engine::EngineOptions& a, const engine::EngineOptions& b);

class SharedModel {
 public:
  explicit SharedModel(engine::EngineOptions own) : present_(std::move(own)) {}

  // A client's settings have come to name a model. Returns what is to be loaded in the present one's stead; none: it
  // stays. Ids grow: the lowest has been there longest.
  std::optional<engine::EngineOptions> wants(engine::ClientId client, const engine::EngineOptions& engine);
  std::optional<engine::EngineOptions> leaves(engine::ClientId client);

  const engine::EngineOptions& present() const { return present_; }
  // False: others who were there before decide otherwise.
  bool has_its_wish(engine::ClientId client) const;

 private:
  std::optional<engine::EngineOptions> decide();

  engine::EngineOptions present_;
  std::map<engine::ClientId, engine::EngineOptions> wishes_;
};

}  // namespace cinnabar::daemon
