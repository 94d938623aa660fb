// The options of the model: what is loaded and how it runs. Values; any thread.
#pragma once

#include "daemon/config/quality.h"
#include "engine/engine.h"

namespace cinnabar::daemon {

// Another value is another load. `context` is among them because keys and values have their room made when the model is
// opened.
struct ModelOptions : engine::EngineOptions {
  Quality quality = Quality::balanced;  // which model runs where none is named, and what mode auto comes to
};

// Whether both would load the same model the same way.
bool same_model(const ModelOptions& a, const ModelOptions& b);

}  // namespace cinnabar::daemon
