// `cinnabar model info|verify` and `cinnabar completion`.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/sha256.h"
#include "daemon/commands/command_line.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/setup.h"
#include "daemon/models/description.h"
#include "engine/mode.h"
#include "engine/model/mapping.h"
#include "engine/model/parts.h"
#include "engine/tokenizer/tokenizer.h"

namespace cinnabar::daemon {
namespace {

Result<ChosenModel> named_model(const Options& options) {
  ModelOptions named;
  if (!options.command.arguments.empty()) named.model = options.command.arguments[0];
  return chosen_model(named);
}

Result<engine::LoadedModel> load(const ChosenModel& chosen) {
  auto model = engine::load_model(chosen.engine.model);
  if (model && chosen.engine.infill) model->spec.infill = *chosen.engine.infill;
  return model;
}

// What a user has to know of how a hole's sides are read.
std::string note_on(const engine::ModelSpec& spec) {
  switch (spec.infill) {
    case engine::InfillLayout::in_place:
      return "masks stand between both sides of the hole";
    case engine::InfillLayout::prefix_only:
      return "no infill tags: text after the hole is not read";
    default:
      return "both sides are read, between tags " + std::to_string(spec.fim_prefix) + ", " +
             std::to_string(spec.fim_suffix) + ", " + std::to_string(spec.fim_middle);
  }
}

// Fails on the first number in a tensor that is none.
Status check_finite(const engine::Checkpoint& checkpoint) {
  std::vector<float> row;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    const std::int64_t size = tensor.shape.empty() ? 1 : tensor.shape.back();
    if (size == 0) continue;
    const std::int64_t bytes = kernels::row_bytes(tensor.dtype, size);
    row.resize(static_cast<std::size_t>(size));
    for (std::int64_t at = 0; at + bytes <= tensor.bytes; at += bytes) {
      kernels::dequantize(tensor.dtype, tensor.data + at, row.data(), size);
      if (!std::all_of(row.begin(), row.end(), [](float value) { return std::isfinite(value); }))
        return Status::error("tensor " + engine::shown_name(name) + ": row " + std::to_string(at / bytes) +
                             " holds a value that is no finite number; the file is damaged");
    }
  }
  return {};
}

// Whether a folder's model.json says the checksum of its model.gguf; fails where the file has another one.
Result<bool> verify_whole(const std::string& folder) {
  const auto description = read_description(folder);
  if (!description) return description.status();
  if (description->sha256.empty()) return false;
  const std::string path = (std::filesystem::path(folder) / "model.gguf").string();
  const auto mapping = engine::Mapping::open(path);
  if (!mapping) return mapping.status();
  const std::string found = sha256_hex((*mapping)->bytes());
  if (found == description->sha256) return true;
  return Status::error(path + ": expected SHA-256 " + description->sha256 + ", found " + found);
}

nlohmann::json describe(const engine::LoadedModel& model, const engine::Tokenizer& tokenizer,
                        const engine::EngineOptions& chosen) {
  const engine::ModelSpec& spec = model.spec;
  const auto mode = engine::mode_for(chosen.modes.cpu, spec, false);
  std::int64_t bytes = 0;
  for (const auto& [name, tensor] : model.checkpoint.tensors) bytes += tensor.bytes;
  return {{"path", model.checkpoint.source},
          {"family", spec.family},
          {"layers", spec.layers},
          {"width", spec.width},
          {"heads", spec.heads},
          {"kv_heads", spec.kv_heads},
          {"head_size", spec.head_size},
          {"ffn", spec.ffn},
          {"vocabulary", spec.vocabulary},
          {"context", spec.context},
          {"rope_theta", spec.rope_theta},
          {"qkv_bias", spec.qkv_bias},
          {"qk_norm", spec.qk_norm},
          {"tied_head", spec.tied_head},
          {"attention", name(spec.attention)},
          {"infill_layout", name(spec.infill)},
          {"infill_note", note_on(spec)},
          {"mode", name(mode ? *mode : engine::Mode::automatic)},
          {"logits_shift", spec.logits_shift},
          {"block_length", spec.block_length},
          {"mask", spec.mask},
          {"expand", spec.expand},
          {"bos", spec.bos},
          {"end_of_text", spec.end_of_text},
          {"tokenizer", tokenizer.size()},
          {"tensors", model.checkpoint.tensors.size()},
          {"tensor_bytes", bytes}};
}

}  // namespace

// Without one of its words.
int run_model(Options& options) {
  const std::string found = options.command.arguments.empty() ? "nothing" : "'" + options.command.arguments[0] + "'";
  std::cerr << "cinnabar: after 'model', expected info, list, verify, add, remove, use or advise, found " << found
            << "\n";
  return 2;
}

int run_model_info(Options& options) {
  const auto chosen = named_model(options);
  if (!chosen) return failed(chosen.status());
  const auto model = load(*chosen);
  if (!model) return failed(model.status());
  const auto tokenizer = engine::load_tokenizer(model->checkpoint);
  if (!tokenizer) return failed(tokenizer.status());
  const nlohmann::json info = describe(*model, **tokenizer, chosen->engine);
  if (options.command.json) {
    std::cout << info.dump(2) << "\n";
    return 0;
  }
  for (const auto& [key, value] : info.items()) {
    std::cout << key << std::string(std::max<std::size_t>(16 - std::min<std::size_t>(key.size(), 15), 1), ' ')
              << (value.is_string() ? value.get<std::string>() : value.dump()) << "\n";
  }
  return 0;
}

int run_model_verify(Options& options) {
  const auto chosen = named_model(options);
  if (!chosen) return failed(chosen.status());
  const std::string& path = chosen->engine.model;
  std::error_code ignored;
  const bool parts =
      path.ends_with(".json") || std::filesystem::exists(std::filesystem::path(path) / "parts.json", ignored);
  if (parts) {
    if (Status verified = engine::verify_parts(path); !verified) return failed(verified);
  }
  const auto whole = parts ? Result<bool>(false) : verify_whole(path);
  if (!whole) return failed(whole.status());
  const auto model = load(*chosen);
  if (!model) return failed(model.status());
  const auto tokenizer = engine::load_tokenizer(model->checkpoint);
  if (!tokenizer) return failed(tokenizer.status());
  if (Status finite = check_finite(model->checkpoint); !finite) return failed(finite.in(path));
  if (parts) std::cout << path << ": every part has its checksum\n";
  std::cout << path << ": " << model->checkpoint.tensors.size()
            << " tensors of the expected shapes, all numbers finite, " << (*tokenizer)->size() << " tokens\n";
  if (*whole) std::cout << path << ": model.gguf has the checksum of model.json\n";
  if (!parts && !*whole)
    std::cout << "No checksum came with this model, so one file of it for another is not noticed.\n";
  return 0;
}

int run_completion(Options& options) {
  const std::string script =
      options.command.arguments.size() == 1 ? completion_script(options.command.arguments[0]) : std::string();
  if (script.empty()) {
    std::cerr << "cinnabar: completion expects bash, zsh or fish\n";
    return 2;
  }
  std::cout << script;
  return 0;
}

}  // namespace cinnabar::daemon
