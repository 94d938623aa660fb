// The changes of model_store.h: every one is complete or has not happened.
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "base/sha256.h"
#include "daemon/models/model_store.h"
#include "engine/model/mapping.h"
#include "engine/model/parts.h"
#include "engine/model/weights.h"
#include "engine/tokenizer/tokenizer.h"

namespace cinnabar::daemon {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kReserve = std::uintmax_t{64} << 20;  // bytes of the disk that stay free

Status failed(const fs::path& path, const std::error_code& error) {
  return Status::error(path.string() + ": " + error.message());
}

Status write_file(const fs::path& path, const std::string& text) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) return failed(path.parent_path(), error);
  const fs::path beside = path.string() + ".new";
  std::ofstream file(beside, std::ios::binary);
  file << text;
  file.close();
  if (!file) {
    fs::remove(beside, error);
    return Status::error(path.string() + ": cannot be written");
  }
  fs::rename(beside, path, error);
  return error ? failed(path, error) : Status();
}

// The files to copy, and what they are called there. A folder's own folders are no part of a model.
Result<std::vector<std::pair<fs::path, std::string>>> files_of(const std::string& from) {
  std::error_code error;
  const auto kind = fs::status(from, error).type();
  if (kind == fs::file_type::regular) {
    if (!from.ends_with(".gguf"))
      return Status::error(from +
                           ": expected a GGUF file or a model's folder (config.json, model.gguf or adapter.gguf)");
    return std::vector{std::pair(fs::path(from), std::string("model.gguf"))};
  }
  if (kind != fs::file_type::directory) return Status::error(from + ": there is no such file or folder");
  std::vector<std::pair<fs::path, std::string>> files;
  for (fs::directory_iterator entry(from, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code ignored;
    const std::string name = entry->path().filename().string();
    if (name.front() != '.' && entry->is_regular_file(ignored)) files.emplace_back(entry->path(), name);
  }
  if (error) return failed(from, error);
  return files;
}

Status check_room(const fs::path& folder, const std::vector<std::pair<fs::path, std::string>>& files) {
  std::error_code error;
  std::uintmax_t wanted = kReserve;
  for (const auto& [path, name] : files) {
    const auto size = fs::file_size(path, error);
    if (error) return failed(path, error);
    wanted += size;
  }
  const auto space = fs::space(folder, error);
  if (error) return failed(folder, error);
  if (space.available >= wanted) return {};
  return Status::error(folder.string() + ": " + std::to_string(wanted >> 20) + " MiB of disk are needed, " +
                       std::to_string(space.available >> 20) + " MiB are free");
}

Result<std::string> digest_of(const fs::path& file) {
  const auto mapping = engine::Mapping::open(file.string());
  if (!mapping) return mapping.status();
  return sha256_hex((*mapping)->bytes());
}

// Whether the engine could open it; of an adapter alone nothing can be said without its base.
Status check_model(const std::string& from) {
  std::error_code error;
  if (fs::is_directory(from, error)) {
    const auto description = read_description(from);
    if (!description) return description.status();
    if (!description->base_sha256.empty() && !fs::exists(fs::path(from) / "model.gguf", error)) return {};
  }
  const auto model = engine::load_model(from);
  if (!model) return model.status();
  const auto tokenizer = engine::load_tokenizer(model->checkpoint);
  return tokenizer ? Status() : tokenizer.status().in(from);
}

// Compares the copy with its checksum, or notes that: an adapter for this base is found by its SHA-256.
Status describe(const fs::path& folder, const std::string& name) {
  auto description = read_description(folder.string());
  if (!description) return description.status();
  std::error_code error;
  const fs::path whole = folder / "model.gguf";
  if (fs::exists(whole, error)) {
    const auto digest = digest_of(whole);
    if (!digest) return digest.status();
    if (!description->sha256.empty() && description->sha256 != *digest)
      return Status::error("model.gguf: model.json says SHA-256 " + description->sha256 + ", found " + *digest);
    description->sha256 = *digest;
    description->bytes = static_cast<std::int64_t>(fs::file_size(whole, error));
  }
  if (fs::exists(folder / "model.json", error)) return {};
  description->name = name;
  return write_file(folder / "model.json", written_description(*description));
}

}  // namespace

Status choose_default(const ModelPlaces& places, const std::string& given) {
  if (places.choice.empty()) return Status::error("$HOME is not set, so there is no place to write to");
  std::error_code error;
  if (given.empty() || given == "default") {
    fs::remove(places.choice, error);
    return error ? failed(places.choice, error) : Status();
  }
  const auto found = find_model(places, given);
  if (!found) return found.status();
  bool is_named = false;
  for (const ListedModel& model : listed_models(places)) is_named = is_named || model.name == given;
  if (!is_named && !fs::exists(given, error)) return Status::error(given + ": there is no such file or folder");
  if (Status sound = check_model(found->model); !sound) return sound;
  return write_file(places.choice, (is_named ? given : fs::absolute(given, error).lexically_normal().string()) + "\n");
}

Status add_model(const ModelPlaces& places, const std::string& name, const std::string& from) {
  if (places.user.empty()) return Status::error("$HOME is not set, so there is no place to put models");
  if (!is_model_name(name) || name == "default" || name == "fast" || name == "best")
    return Status::error("'" + name +
                         "' is no name for a model: expected letters, digits, '.', '_' and '-', not one of " +
                         "default, fast, best");
  const fs::path user(places.user), target = user / name, made = user / ("." + name + ".new");
  std::error_code error;
  if (fs::exists(target, error))
    return Status::error("there is a model '" + name + "' already; 'cinnabar model remove " + name + "' takes it away");
  const auto files = files_of(from);
  if (!files) return files.status();
  if (Status sound = check_model(from); !sound) return sound;
  if (fs::exists(fs::path(from) / "parts.json", error)) {
    if (Status same = engine::verify_parts(from); !same) return same;
  }
  fs::create_directories(user, error);
  if (error) return failed(user, error);
  if (Status room = check_room(user, *files); !room) return room;
  fs::remove_all(made, error);
  fs::create_directory(made, error);
  Status done = error ? failed(made, error) : Status();
  for (const auto& [path, file] : *files) {
    if (!done) break;
    if (!fs::copy_file(path, made / file, error)) done = failed(path, error);
  }
  if (done) done = describe(made, name).in(from);
  if (done) {
    fs::rename(made, target, error);
    if (error) done = failed(target, error);
  }
  if (!done) fs::remove_all(made, error);
  return done;
}

Result<std::int64_t> remove_model(const ModelPlaces& places, const std::string& name) {
  for (const ListedModel& model : listed_models(places)) {
    if (model.name != name) continue;
    if (!model.own) return Status::error("the model '" + name + "' came with the program and stays: " + model.folder);
    // Away at once, so that nobody opens half of it.
    const fs::path folder(model.folder), away = folder.parent_path() / ("." + name + ".removed");
    std::error_code error;
    fs::remove_all(away, error);
    fs::rename(folder, away, error);
    if (error) return failed(folder, error);
    fs::remove_all(away, error);
    if (error) return failed(away, error);
    return model.bytes;
  }
  return Status::error("there is no model '" + name + "' of yours to remove (cinnabar model list)");
}

}  // namespace cinnabar::daemon
