// Opening models and devices as a user names them: a model by its name or path, the user's default where none is named, and
// the CUDA library beside the program.
#pragma once

#include <memory>
#include <string>

#include "daemon/config/options.h"

namespace cinnabar::daemon {

// What a user's words for a model come to: paths for the engine, and what the model brings.
struct ChosenModel {
  engine::EngineOptions engine;
  GateWeights gate;
  NextEditForm next_edit_form = NextEditForm::proposals;
};

// Looks options.model up: daemon/models/model_store.h. Errors say which models there are, or which path was tried.
Result<ChosenModel> chosen_model(const ModelOptions& options);

// Opens what a ChosenModel says.
Result<std::unique_ptr<engine::Engine>> open_chosen(const engine::EngineOptions& chosen);

// Looks options.model up and opens it; what the model brings is put into the options.
Result<std::unique_ptr<engine::Engine>> open_engine(Options& options);

// The same on a given device, for those who show no answers.
Result<std::unique_ptr<engine::Engine>> open_engine(const ModelOptions& options,
                                                    std::unique_ptr<kernels::Backend> backend);

// The device that the options ask for.
Result<engine::OpenedDevice> open_device(const ModelOptions& options);

}  // namespace cinnabar::daemon
