#include "daemon/models/model_store.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "base/system.h"
#include "engine/model/parts.h"

namespace cinnabar::daemon {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDefault = "default";
constexpr std::size_t kLongestChoice = 4096;

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

// A base folder of the XDG specification, which has relative values ignored.
fs::path base_folder(const char* variable, const char* below_home) {
  const char* set = std::getenv(variable);
  if (set != nullptr && set[0] == '/') return set;
  const char* home = std::getenv("HOME");
  return home == nullptr || home[0] != '/' ? fs::path() : fs::path(home) / below_home;
}

std::int64_t bytes_of(const fs::path& folder) {
  std::int64_t bytes = 0;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_regular_file(ignored)) bytes += static_cast<std::int64_t>(entry->file_size(ignored));
  }
  return bytes;
}

bool has_model(const fs::path& folder) {
  return is_file(folder / "model.gguf") || is_file(folder / "parts.json") || is_file(folder / "config.json");
}

// What a folder holds; without_base where that has still to be looked for. Nothing: no model, nor the description of one.
std::optional<ListedModel> look_at(const fs::path& folder, bool own) {
  ListedModel model;
  model.name = folder.filename().string();
  model.folder = folder.string();
  const bool whole = has_model(folder), adapter = is_file(folder / "adapter.gguf");
  if (!whole && !adapter && !is_file(folder / "model.json")) return std::nullopt;
  model.own = own;
  model.bytes = bytes_of(folder);
  model.state = whole     ? ListedModel::State::usable
                : adapter ? ListedModel::State::without_base
                          : ListedModel::State::obtainable;
  auto description = read_description(folder.string());
  if (!description) {
    model.state = ListedModel::State::damaged;
    model.problem = description.message();
    return model;
  }
  model.description = std::move(description).value();
  return model;
}

// Of the file that the engine reads as the model; empty where nothing says it.
std::string digest_of(const ListedModel& model) {
  if (!model.description.sha256.empty()) return model.description.sha256;
  std::ifstream file(fs::path(model.folder) / "parts.json", std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) return {};
  const auto manifest = engine::parse_parts_manifest(text.str());
  return manifest ? manifest->sha256 : std::string();
}

const ListedModel* base_of(const ModelDescription& description, const std::vector<ListedModel>& models) {
  const auto base = std::find_if(models.begin(), models.end(), [&](const ListedModel& model) {
    return model.state == ListedModel::State::usable && has_model(model.folder) && !description.base_sha256.empty() &&
           digest_of(model) == description.base_sha256;
  });
  return base == models.end() ? nullptr : &*base;
}

void look_for_bases(std::vector<ListedModel>& models) {
  for (ListedModel& model : models) {
    if (model.state != ListedModel::State::without_base) continue;
    if (base_of(model.description, models) != nullptr)
      model.state = ListedModel::State::usable;
    else
      model.problem = model.description.base_sha256.empty()
                          ? "its model.json does not name the base that the adapter is for (base_sha256)"
                          : "its base, SHA-256 " + model.description.base_sha256 + ", is not here";
  }
}

std::string names_of(const std::vector<ListedModel>& models) {
  std::string names;
  for (const ListedModel& model : models) {
    if (model.state == ListedModel::State::usable) names += (names.empty() ? "" : ", ") + model.name;
  }
  return names.empty() ? "none" : names;
}

Result<FoundModel> usable(const ListedModel& model, const std::vector<ListedModel>& models) {
  if (!model.problem.empty()) return Status::error("the model '" + model.name + "': " + model.problem);
  if (has_model(model.folder)) return FoundModel{model.folder, {}, model.description};
  const ListedModel* base = base_of(model.description, models);
  if (base == nullptr) return Status::error("the model '" + model.name + "': its base is not here");
  return FoundModel{base->folder, (fs::path(model.folder) / "adapter.gguf").string(), model.description};
}

// A folder that is named by its path may hold an adapter alone, too.
Result<FoundModel> by_path(const std::string& path, std::vector<ListedModel> models) {
  std::error_code ignored;
  if (!fs::exists(path, ignored))
    return Status::error(path +
                         ": there is no such file or folder; name a model that 'cinnabar model list' shows, or another "
                         "path (in an editor the setting cinnabar.model, on a command line --model)");
  if (!fs::is_directory(path, ignored)) return FoundModel{path, {}, {}};
  auto model = look_at(fs::path(path), false);
  if (!model || model->state == ListedModel::State::obtainable) return FoundModel{path, {}, {}};
  model->name = path;
  models.push_back(std::move(*model));
  look_for_bases(models);
  return usable(models.back(), models);
}

bool is_file_name(const std::string& text) {
  return text.ends_with(".gguf") || text.ends_with(".json") || text.ends_with(".safetensors");
}

Result<FoundModel> find_given(const ModelPlaces& places, const std::string& given) {
  const auto models = listed_models(places);
  if (!is_model_name(given)) return by_path(given, models);
  const auto named = std::find_if(models.begin(), models.end(), [&](const auto& model) { return model.name == given; });
  if (named != models.end()) return usable(*named, models);
  std::error_code ignored;
  if (is_file_name(given) || fs::exists(given, ignored)) return by_path(given, models);
  if (given == kDefault)
    return Status::error(
        "there is no models/default beside this program, where its own model is looked for; name one with --model, a "
        "name or a path");
  return Status::error("there is no model '" + given + "'; there are: " + names_of(models) +
                       " (cinnabar model list), and a path may be named");
}

// A word of a command line, as a shell takes it.
std::string shell_word(const std::string& text) {
  constexpr const char* kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_/.,+:@%=-";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? "'\\''" : std::string(1, c);
  return word + "'";
}

}  // namespace

ModelPlaces model_places() {
  ModelPlaces places;
  const fs::path data = base_folder("XDG_DATA_HOME", ".local/share"),
                 config = base_folder("XDG_CONFIG_HOME", ".config");
  if (!data.empty()) places.user = (data / "cinnabar" / "models").string();
  if (!config.empty()) places.choice = (config / "cinnabar" / "model").string();
  std::error_code error;
  const fs::path program = own_program();
  if (program.empty()) return places;
  // <tree>/build/<preset>/cinnabar, and <prefix>/bin/cinnabar.
  for (const char* place : {"../../models", "../share/cinnabar/models"}) {
    const fs::path folder = (program.parent_path() / place).lexically_normal();
    if (fs::is_directory(folder, error)) places.beside.push_back(folder.string());
  }
  return places;
}

std::vector<ListedModel> listed_models(const ModelPlaces& places) {
  std::map<std::string, ListedModel> found;
  const auto look_into = [&](const std::string& place, bool own) {
    std::error_code error;
    for (fs::directory_iterator entry(place, error), end; !error && entry != end; entry.increment(error)) {
      std::error_code ignored;
      const std::string name = entry->path().filename().string();
      if (!is_model_name(name) || (own && name == kDefault) || !entry->is_directory(ignored)) continue;
      auto model = look_at(entry->path(), own);
      const auto other = found.find(name);
      // What is only described hides nothing that is there.
      if (!model || (other != found.end() && other->second.state != ListedModel::State::obtainable)) continue;
      found.insert_or_assign(name, std::move(*model));
    }
  };
  if (!places.user.empty()) look_into(places.user, true);
  for (const std::string& place : places.beside) look_into(place, false);
  std::vector<ListedModel> models;
  for (auto& [name, model] : found) models.push_back(std::move(model));
  std::stable_partition(models.begin(), models.end(), [](const auto& model) { return model.name == kDefault; });
  look_for_bases(models);
  const auto chosen = chosen_default(places);
  for (ListedModel& model : models) {
    model.is_default = chosen && model.name == (chosen->empty() ? kDefault : *chosen);
    if (model.state != ListedModel::State::obtainable) continue;
    const std::string command = making_command(places, model.name);
    model.problem = "it is not here yet" + (command.empty() ? "" : "; this fetches and makes it: " + command);
  }
  return models;
}

bool names_model(const ModelPlaces& places, std::string_view given) {
  if (!is_model_name(given)) return false;
  for (const ListedModel& model : listed_models(places)) {
    if (model.name == given) return true;
  }
  std::error_code ignored;
  const std::string text(given);
  return !is_file_name(text) && !fs::exists(text, ignored);
}

Result<FoundModel> find_model(const ModelPlaces& places, const std::string& given) {
  if (!given.empty()) return find_given(places, given);
  const auto chosen = chosen_default(places);
  if (!chosen) return chosen.status();
  if (chosen->empty()) return find_given(places, kDefault);
  auto found = find_given(places, *chosen);
  if (!found)
    return Status::error(found.message() + " (it is your default: " + places.choice +
                         "; 'cinnabar model use default' takes that back)");
  return found;
}

Result<std::string> chosen_default(const ModelPlaces& places) {
  std::error_code ignored;
  if (places.choice.empty() || !fs::exists(places.choice, ignored)) return std::string();
  if (!is_file(places.choice)) return Status::error(places.choice + ": not a regular file");
  std::ifstream file(places.choice, std::ios::binary);
  std::string text(kLongestChoice + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (!text.empty() && text.back() == '\n') text.pop_back();
  const bool is_line =
      !text.empty() && text.size() < kLongestChoice &&
      std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (!is_line)
    return Status::error(places.choice +
                         ": expected one line, a model's name or path; 'cinnabar model use NAME' writes it anew");
  return text;
}

std::string making_command(const ModelPlaces& places, const std::string& name) {
  for (const std::string& place : places.beside) {
    const fs::path script = fs::path(place) / "make_model.py";
    if (is_file(script) && is_file(fs::path(place) / name / "model.json"))
      return "python3 " + shell_word(script.string()) + " " + name;
  }
  return {};
}

}  // namespace cinnabar::daemon
