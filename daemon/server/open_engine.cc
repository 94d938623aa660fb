#include "daemon/server/open_engine.h"

#include <filesystem>

#include "base/page_guard.h"
#include "base/system.h"
#include "daemon/models/model_store.h"

namespace cinnabar::daemon {
namespace {

// Only ever from beside the program: a library is code, so no option and no editor names one.
engine::DeviceOptions with_library(engine::DeviceOptions device) {
  std::error_code error;
  const std::filesystem::path program = own_program();
  if (program.empty()) return device;
  for (const char* place : {"", "../lib/cinnabar"}) {
    const auto library = (program.parent_path() / place / "libcinnabar_cuda.so").lexically_normal();
    if (device.cuda_library.empty() && std::filesystem::exists(library, error)) device.cuda_library = library;
  }
  return device;
}

// What runs where no model is named; empty: what find_model makes of no name.
std::string model_by_quality(const ModelPlaces& places, Quality quality) {
  const QualityChoice& choice = choice_of(quality);
  if (choice.before_choice) return choice.model.empty() ? "default" : choice.model;
  const auto chosen = chosen_default(places);
  if (choice.model.empty() || !chosen || !chosen->empty()) return {};
  for (const ListedModel& model : listed_models(places)) {
    if (model.name == choice.model && model.state == ListedModel::State::usable) return model.name;
  }
  return {};
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

Result<ChosenModel> chosen_model(const ModelOptions& options) {
  const ModelPlaces places = model_places();
  auto found = find_model(places, options.model.empty() ? model_by_quality(places, options.quality) : options.model);
  if (!found) return found.status();
  ChosenModel chosen{options, found->description.gate,
                     found->description.next_edit.value_or(form_by_file_name(found->model))};
  chosen.engine.model = std::move(found->model);
  if (chosen.engine.adapter.empty()) chosen.engine.adapter = std::move(found->adapter);
  chosen.engine.infill = found->description.prompt;
  chosen.engine.modes = found->description.modes;
  chosen.engine.denoise = found->description.denoise;
  const engine::PreferredModes& wanted = choice_of(options.quality).modes;
  if (wanted.cpu != engine::Mode::automatic) chosen.engine.modes.cpu = wanted.cpu;
  if (wanted.gpu != engine::Mode::automatic) chosen.engine.modes.gpu = wanted.gpu;
  return chosen;
}

Result<engine::OpenedDevice> open_device(const ModelOptions& options) {
  return engine::open_device(with_library(options.device));
}

Result<std::unique_ptr<engine::Engine>> open_chosen(const engine::EngineOptions& chosen) {
  engine::EngineOptions with = chosen;
  with.device = with_library(chosen.device);
  return unless_cut([&] { return engine::Engine::open(with); });
}

Result<std::unique_ptr<engine::Engine>> open_engine(Options& options) {
  const auto chosen = chosen_model(options.model);
  if (!chosen) return chosen.status();
  options.request.gate = chosen->gate;
  options.request.next_edit_form = chosen->next_edit_form;
  return open_chosen(chosen->engine);
}

Result<std::unique_ptr<engine::Engine>> open_engine(const ModelOptions& options,
                                                    std::unique_ptr<kernels::Backend> backend) {
  const auto chosen = chosen_model(options);
  if (!chosen) return chosen.status();
  return unless_cut([&] { return engine::Engine::open(chosen->engine, std::move(backend)); });
}

}  // namespace cinnabar::daemon
