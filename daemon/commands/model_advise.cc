// `cinnabar model advise`: how soon the models that are here answer a line on this machine, and which suits it.
#include <algorithm>
#include <chrono>
#include <iostream>
#include <vector>

#include "daemon/commands/commands.h"
#include "daemon/commands/setup.h"
#include "daemon/models/advice.h"
#include "daemon/models/model_store.h"

namespace cinnabar::daemon {
namespace {

struct Place {
  const char *prefix, *suffix;
};
// Lines such as one types, of some ten tokens each.
constexpr Place kPlaces[] = {
    {"import json\n\n\ndef read_config(path):\n    with open(path, encoding=\"utf-8\") as file:\n        return ",
     "\n\n\ndef write_config(path, config):\n    with open(path, \"w\", encoding=\"utf-8\") as file:\n"
     "        json.dump(config, file, indent=2)\n"},
    {"class Account {\n  constructor(owner, balance = 0) {\n    this.owner = owner;\n    this.balance = balance;\n  "
     "}\n\n"
     "  withdraw(amount) {\n    if (amount > this.balance) ",
     "\n    this.balance -= amount;\n    return this.balance;\n  }\n}\n"},
    {"#include <string>\n#include <vector>\n\nstd::string join(const std::vector<std::string>& parts, const "
     "std::string& by) {\n"
     "  std::string out;\n  for (std::size_t i = 0; i < parts.size(); ++i) {\n    ",
     "\n    out += parts[i];\n  }\n  return out;\n}\n"},
};
constexpr int kRounds = 2;  // of each place; the quicker one counts, a neighbour may have disturbed the other

// Milliseconds of the place's line once its prompt is read; adds to the counts.
Result<double> time_line(engine::Engine& engine, const Place& place, MeasuredModel& measured, double& prompt_ms,
                         int& prompt_tokens) {
  engine::InfillRequest request;
  request.prefix = place.prefix;
  request.suffix = place.suffix;
  request.max_tokens = 24;
  double best = 0;
  for (int round = 0; round <= kRounds; ++round) {
    const auto result = engine.infill(request, {});
    if (!result) return result.status();
    if (round == 0) {
      prompt_ms += result->prompt_milliseconds;
      prompt_tokens += result->prompt_tokens - result->reused_tokens;
      measured.tokens += result->answers.front().tokens;
      measured.forwards += result->decode.nfe;
    } else if (const double ms = result->decode.milliseconds + result->prompt_milliseconds; round == 1 || ms < best) {
      best = ms;
    }
  }
  return best;
}

Result<MeasuredModel> measure(const Options& given, const ListedModel& model) {
  Options options = given;
  options.model.model = model.name;
  auto engine = open_engine(options);
  if (!engine) return engine.status();
  MeasuredModel measured{model.name, model.bytes};
  double sum = 0, prompt_ms = 0;
  int prompt_tokens = 0;
  for (const Place& place : kPlaces) {
    const auto line = time_line(**engine, place, measured, prompt_ms, prompt_tokens);
    if (!line) return line.status();
    sum += *line;
  }
  measured.line_milliseconds = sum / std::size(kPlaces);
  measured.forward_milliseconds = sum / std::max(measured.forwards, 1);
  measured.prompt_milliseconds = prompt_ms / std::max(prompt_tokens, 1);
  return measured;
}

}  // namespace

int run_model_advise(Options& options) {
  std::vector<MeasuredModel> measured;
  const auto models = listed_models(model_places());
  for (const ListedModel& model : models) {
    if (model.state != ListedModel::State::usable) continue;
    std::cerr << "measuring " << model.name << "\n";
    auto result = measure(options, model);
    if (result)
      measured.push_back(std::move(result).value());
    else
      std::cerr << "cinnabar: " << model.name << ": " << result.message() << "\n";
  }
  const std::size_t here = measured.size();
  for (const ListedModel& model : models) {
    const ModelDescription& said = model.description;
    if (model.state != ListedModel::State::obtainable || here == 0 || said.bytes == 0 || said.forwards_a_token == 0)
      continue;
    measured.push_back(estimated(measured.front(), model.name, said.bytes, said.forwards_a_token));
  }
  std::cout << advice(measured);
  return measured.empty() ? 1 : 0;
}

}  // namespace cinnabar::daemon
