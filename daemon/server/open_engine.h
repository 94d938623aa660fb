// Opening models and devices as a user names them: the installed model where none is named, and the CUDA library beside the
// program.
#pragma once

#include <memory>
#include <string>

#include "daemon/config/options.h"

namespace cinnabar::daemon {

// Opens options.model, or the embedded model. Errors say which path was tried.
Result<std::unique_ptr<engine::Engine>> open_engine(const ModelOptions& options);

// The same on a given device.
Result<std::unique_ptr<engine::Engine>> open_engine(const ModelOptions& options,
                                                    std::unique_ptr<kernels::Backend> backend);

// The folder of the embedded model: models/default beside the source tree or the installation this program runs from.
// Empty when there is none.
std::string embedded_model();

// The device that the options ask for.
Result<std::unique_ptr<kernels::Backend>> open_device(const ModelOptions& options);

}  // namespace cinnabar::daemon
