// `cinnabar model info|list|verify` and `cinnabar completion`.
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "daemon/commands/command_line.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/setup.h"
#include "engine/model/parts.h"

namespace cinnabar::daemon {
namespace {

std::string chosen_model(const Options& options) {
  return options.command.arguments.empty() ? embedded_model() : options.command.arguments[0];
}

nlohmann::json describe(const engine::LoadedModel& model) {
  const engine::ModelSpec& spec = model.spec;
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
          {"attention", spec.attention == engine::Attention::full ? "full" : "block_causal"},
          {"infill_layout", spec.infill == engine::InfillLayout::in_place ? "in_place" : "suffix_then_prefix"},
          {"logits_shift", spec.logits_shift},
          {"mask", spec.mask},
          {"end_of_text", spec.end_of_text},
          {"tensors", model.checkpoint.tensors.size()},
          {"tensor_bytes", bytes}};
}

}  // namespace

int run_model_info(Options& options) {
  const std::string path = chosen_model(options);
  if (path.empty()) return failed(Status::error("the embedded model is not beside this program; name a model"));
  const auto model = engine::load_model(path);
  if (!model) return failed(model.status());
  const nlohmann::json info = describe(*model);
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

int run_model_list(Options&) {
  const std::string path = embedded_model();
  if (path.empty()) {
    std::cout << "no model is installed beside this program\n";
    return 0;
  }
  std::cout << "default  " << path << "\n";
  return 0;
}

int run_model_verify(Options& options) {
  const std::string path = chosen_model(options);
  if (path.empty()) return failed(Status::error("the embedded model is not beside this program; name a model"));
  if (Status verified = engine::verify_parts(path); !verified) return failed(verified);
  std::cout << path << ": every part has its checksum\n";
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
