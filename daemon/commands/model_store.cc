// `cinnabar model list|add|remove|use`: the models that can be named, and which one is meant where none is.
#include "daemon/models/model_store.h"

#include <algorithm>
#include <iostream>

#include "daemon/commands/commands.h"
#include "daemon/commands/setup.h"

namespace cinnabar::daemon {
namespace {

std::string mebibytes(std::int64_t bytes) { return std::to_string((bytes + (1 << 19)) >> 20) + " MiB"; }

void pad(std::string& line, std::size_t width) { line.resize(std::max(line.size() + 1, width), ' '); }

std::string line_of(const ListedModel& model) {
  std::string line = model.is_default ? "* " : "  ";
  line += model.name;
  pad(line, 18);
  if (model.state == ListedModel::State::usable) line += mebibytes(model.bytes);
  pad(line, 28);
  line += model.description.licence;
  pad(line, 40);
  return line + (model.problem.empty() ? model.folder : model.problem);
}

int wrong(const std::string& expected) {
  std::cerr << "cinnabar: " << expected << "\n";
  return 2;
}

}  // namespace

int run_model_list(Options&) {
  const ModelPlaces places = model_places();
  const auto models = listed_models(places);
  for (const ListedModel& model : models) std::cout << line_of(model) << "\n";
  if (models.empty()) std::cout << "no model is installed beside this program, and none is yours\n";
  const auto chosen = chosen_default(places);
  if (!chosen) return failed(chosen.status());
  const bool is_listed = std::any_of(models.begin(), models.end(), [](const auto& model) { return model.is_default; });
  if (!chosen->empty() && !is_listed) std::cout << "* " << *chosen << "\n";
  return 0;
}

int run_model_add(Options& options) {
  const auto& words = options.command.arguments;
  if (words.empty() || words.size() > 2) return wrong("model add expects NAME and a file or folder");
  const ModelPlaces places = model_places();
  if (words.size() == 1) {
    const std::string command = making_command(places, words[0]);
    if (command.empty())
      return wrong("model add " + words[0] + " expects the file or folder that the model lies in, too");
    std::cout << "This program uses no network. This fetches and makes the model, and puts it where it is found:\n\n  "
              << command << "\n";
    return 1;
  }
  if (Status added = add_model(places, words[0], words[1]); !added) return failed(added);
  std::cout << words[0] << " is in " << places.user << "; 'cinnabar model use " << words[0]
            << "' makes it your default\n";
  return 0;
}

int run_model_remove(Options& options) {
  const auto& words = options.command.arguments;
  if (words.size() != 1) return wrong("model remove expects NAME");
  const ModelPlaces places = model_places();
  const auto freed = remove_model(places, words[0]);
  if (!freed) return failed(freed.status());
  std::cout << words[0] << " is removed, " << mebibytes(*freed) << " are free again\n";
  if (const auto chosen = chosen_default(places); chosen && *chosen == words[0]) {
    if (Status back = choose_default(places, "default"); !back) return failed(back);
    std::cout << "it was your default, which is the program's own model again\n";
  }
  return 0;
}

int run_model_use(Options& options) {
  const auto& words = options.command.arguments;
  if (words.size() != 1) return wrong("model use expects NAME or a path; default: the program's own");
  const ModelPlaces places = model_places();
  if (Status chosen = choose_default(places, words[0]); !chosen) return failed(chosen);
  std::cout << words[0]
            << " is what runs now where no model is named; a daemon takes it when it loads its model again\n";
  return 0;
}

}  // namespace cinnabar::daemon
