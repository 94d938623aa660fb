#include "daemon/commands/setup.h"

#include <filesystem>
#include <iostream>

#include "daemon/transport/token.h"

namespace cinnabar::daemon {

namespace {

// The first of these folders, relative to this program's, in which `file` exists; else empty.
std::string beside_program(std::initializer_list<const char*> places, const char* file) {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return {};
  for (const char* place : places) {
    const auto folder = (program.parent_path() / place).lexically_normal();
    if (std::filesystem::exists(folder / file, error)) return folder.string();
  }
  return {};
}

// Only ever from beside the program: a library is code, so no option and no editor names one.
engine::DeviceOptions with_library(engine::DeviceOptions device) {
  constexpr const char* kLibrary = "libcinnabar_cuda.so";
  const std::string folder = beside_program({"", "../lib/cinnabar"}, kLibrary);
  if (!folder.empty()) device.cuda_library = std::filesystem::path(folder) / kLibrary;
  return device;
}

Result<engine::EngineOptions> with_model(const Options& options) {
  engine::EngineOptions chosen = options.engine;
  if (chosen.model.empty()) chosen.model = embedded_model();
  if (chosen.model.empty()) {
    return Status::error("the embedded model is not beside this program (models/default); name one with --model PATH");
  }
  chosen.device = with_library(chosen.device);
  return chosen;
}

}  // namespace

std::string embedded_model() {
  // <tree>/build/<preset>/cinnabar, and <prefix>/bin/cinnabar.
  return beside_program({"../../models/default", "../share/cinnabar/models/default"}, "parts.json");
}

Result<std::unique_ptr<kernels::Backend>> open_device(const Options& options) {
  return engine::open_device(with_library(options.engine.device));
}

Result<std::unique_ptr<engine::Engine>> open_engine(const Options& options) {
  const auto chosen = with_model(options);
  if (!chosen) return chosen.status();
  return engine::Engine::open(*chosen);
}

Result<std::unique_ptr<engine::Engine>> open_engine(const Options& options, std::unique_ptr<kernels::Backend> backend) {
  const auto chosen = with_model(options);
  if (!chosen) return chosen.status();
  return engine::Engine::open(*chosen, std::move(backend));
}

int failed(const Status& status) {
  std::cerr << "cinnabar: " << status.message() << "\n";
  return 1;
}

Result<FinderOptions> finder_options(const PlaceOptions& place) {
  FinderOptions finder;
  std::string notice;
  auto path = socket_path(place.socket, &notice);
  if (!path) return path.status();
  if (!notice.empty()) std::cerr << "cinnabar: " << notice << "\n";
  finder.socket = *path;
  finder.tcp_port = static_cast<std::uint16_t>(place.tcp_port);
  finder.token_file = token_file_of(place.token_file, finder.socket);
  return finder;
}

engine::DecodeLimits limits_of(const Options& options) {
  engine::DecodeLimits limits;
  if (options.deadline_ms > 0)
    limits.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(options.deadline_ms);
  return limits;
}

Result<Answered> answered_by(engine::Engine& engine, AnswerMachine& machine, const engine::DecodeLimits& limits,
                             const engine::StepObserver& observer) {
  for (bool last = false; !last;) {
    auto result = engine.infill(machine.request(), limits, observer);
    if (!result) return result.status();
    last = machine.take(std::move(result).value());
  }
  return machine.finish();
}

}  // namespace cinnabar::daemon
