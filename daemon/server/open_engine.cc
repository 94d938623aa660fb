#include "daemon/server/open_engine.h"

#include <filesystem>

#include "base/page_guard.h"

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

Result<engine::EngineOptions> with_model(const ModelOptions& options) {
  engine::EngineOptions chosen = options;
  if (chosen.model.empty()) chosen.model = embedded_model();
  if (chosen.model.empty()) {
    return Status::error(
        "there is no models/default beside this program, where its own model is looked for; name one with --model "
        "PATH");
  }
  chosen.device = with_library(chosen.device);
  return chosen;
}

// A model that was read while another process wrote into its files is none.
template <typename Open>
Result<std::unique_ptr<engine::Engine>> unless_cut(Open open) {
  const auto before = lost_pages();
  auto engine = open();
  if (lost_pages() == before) return engine;
  return Status::error("a model file became shorter while it was read; put a whole one in its place by renaming it");
}

}  // namespace

std::string embedded_model() {
  // <tree>/build/<preset>/cinnabar, and <prefix>/bin/cinnabar.
  return beside_program({"../../models/default", "../share/cinnabar/models/default"}, "parts.json");
}

Result<std::unique_ptr<kernels::Backend>> open_device(const ModelOptions& options) {
  return engine::open_device(with_library(options.device));
}

Result<std::unique_ptr<engine::Engine>> open_engine(const ModelOptions& options) {
  const auto chosen = with_model(options);
  if (!chosen) return chosen.status();
  return unless_cut([&] { return engine::Engine::open(*chosen); });
}

Result<std::unique_ptr<engine::Engine>> open_engine(const ModelOptions& options,
                                                    std::unique_ptr<kernels::Backend> backend) {
  const auto chosen = with_model(options);
  if (!chosen) return chosen.status();
  return unless_cut([&] { return engine::Engine::open(*chosen, std::move(backend)); });
}

}  // namespace cinnabar::daemon
