// The models that can be named: a folder with model.gguf (or another form that the engine opens), an adapter beside it and a
// model.json is one, in the user's data or beside the program.
//
// A folder with adapter.gguf alone is a model, too: its base is whichever model here has the SHA-256 that its model.json names.
// A folder with neither is one that can be had: its makers' files are not here yet.
//
// Reads the file system; places are the caller's. No state. Never a network.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/models/description.h"

namespace cinnabar::daemon {

struct ModelPlaces {
  std::string user;                 // the user's own folder of models; may not exist yet
  std::vector<std::string> beside;  // folders of models that came with the program
  std::string choice;               // the file that says which model is the user's default
};
// $XDG_DATA_HOME/cinnabar/models, $XDG_CONFIG_HOME/cinnabar/model, and the program's own.
ModelPlaces model_places();

// Model and adapter as the engine opens them, and what is known of them.
struct FoundModel {
  std::string model;    // a path
  std::string adapter;  // a path; empty: the engine looks beside the model
  ModelDescription description;
};

struct ListedModel {
  enum class State {
    usable,
    without_base,  // an adapter for a base that is not here
    obtainable,    // only described here
    damaged,       // its model.json cannot be read
  };
  std::string name, folder;
  State state = State::usable;
  std::string problem;      // of one that is not usable: why, and what to do
  std::int64_t bytes = 0;   // of its files
  bool own = false;         // in the user's folder
  bool is_default = false;  // what no name comes to
  ModelDescription description;
};

// By name; a model in the user's folder hides one of the same name beside the program.
std::vector<ListedModel> listed_models(const ModelPlaces& places);

// Whether `given` is the name of a model, or of none that has a path either.
bool names_model(const ModelPlaces& places, std::string_view given);

// The model that `given` names: one of the listed; else a path. Empty: the user's default, or "default", which came with the
// program. Errors say which models there are and what to do.
Result<FoundModel> find_model(const ModelPlaces& places, const std::string& given);

// What the user has chosen by choose_default; empty: nothing. Error: the file cannot be read, or says no name or path.
Result<std::string> chosen_default(const ModelPlaces& places);
// "default" or empty takes the choice back. Error: no such model, or none that
// can be loaded; the file cannot be written.
Status choose_default(const ModelPlaces& places, const std::string& given);

// Puts a copy of a GGUF file or of a model's folder into the user's folder, whole or not at all.
// Error: the name is taken or none; the copy is no model, or has other checksums than it brings; no room.
Status add_model(const ModelPlaces& places, const std::string& name, const std::string& from);
// Returns the bytes that were freed. Error: it is not the user's own.
Result<std::int64_t> remove_model(const ModelPlaces& places, const std::string& name);

// The command that makes a model which is only described here; empty where no script came with the program.
std::string making_command(const ModelPlaces& places, const std::string& name);

}  // namespace cinnabar::daemon
