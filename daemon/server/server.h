// The answering half of the daemon: one model, any number of clients.
#pragma once

#include <memory>

#include "daemon/config/options.h"
#include "daemon/server/open_engine.h"
#include "daemon/server/recording.h"
#include "daemon/transport/connection.h"
#include "engine/engine.h"
#include "engine/runner.h"

namespace cinnabar::daemon {

struct ServerOptions {
  Options options;  // what sessions start from; options.model is the model to load
  // What the options' words for a model come to; empty: chosen_model, or where open_model is given, those words.
  std::function<Result<ChosenModel>(const ModelOptions&)> choose_model = {};
  // How that is opened; empty: from the files that the engine options name.
  std::function<Result<std::unique_ptr<engine::Infiller>>(const engine::EngineOptions&)> open_model = {};
  bool load_at_start = true;                // in the background; false: with the first document
  std::unique_ptr<Recorder> recorder = {};  // null: nothing is recorded
  // Is told what would be recorded, too; on the model's thread. May be empty.
  std::function<void(const Recording&)> observer = {};
};

// Starts the runner's thread. Destroying the host stops it, within one step of the model.
std::unique_ptr<Host> make_server(ServerOptions options);

}  // namespace cinnabar::daemon
