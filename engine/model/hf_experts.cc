// read_hf_experts (config_values.h): what config.json says of a mixture of experts.
#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "engine/model/config_values.h"
#include "engine/model/json.h"

namespace cinnabar::engine {
namespace {

using nlohmann::json;
using Names = std::array<const char*, 2>;  // of one value, the second null without

constexpr int kMostShared = 64;
constexpr int kWidest = 1 << 20;

// The first of the keys that is there; `out` stays without.
Status take_first(const json& config, const Names& names, int& out) {
  for (const char* name : names)
    if (name != nullptr && is_set(config, name)) return take_int(config, name, std::nullopt, out);
  return {};
}

// Layers without experts come first; where a list says which, it has to say so, too.
Status read_dense_layers(const json& config, Experts& experts) {
  if (const auto status = take_first(config, {"first_k_dense_replace", nullptr}, experts.dense_layers); !status)
    return status;
  if (json_integer(config, "decoder_sparse_step").value_or(1) != 1)
    return Status::error("'decoder_sparse_step': only 1 is understood");
  if (is_set(config, "mlp_only_layers") && !config["mlp_only_layers"].empty())
    return Status::error("'mlp_only_layers': only an empty list is understood");
  if (!is_set(config, "moe_layer_freq") || config["moe_layer_freq"] == 1) return {};
  int dense = 0, seen = 0;
  for (const json& each : config["moe_layer_freq"]) {
    if (each != 0 && each != 1) return Status::error("'moe_layer_freq': expected a list of 0 and 1");
    if (each == 0 && dense != seen)
      return Status::error("'moe_layer_freq': dense layers behind those with experts are not supported");
    ++seen;
    dense += each == 0 ? 1 : 0;
  }
  experts.dense_layers = dense;
  return {};
}

Status read_sizes(const json& config, Experts& e) {
  int shared = 0;
  const std::pair<Names, int*> sizes[] = {{{"num_experts", "n_routed_experts"}, &e.count},
                                          {{"num_experts_per_tok", nullptr}, &e.used},
                                          {{"expert_intermediate_size", "moe_intermediate_size"}, &e.ffn},
                                          {{"num_shared_experts", nullptr}, &shared},
                                          {{"shared_expert_intermediate_size", nullptr}, &e.shared_ffn},
                                          {{"n_group", nullptr}, &e.groups},
                                          {{"topk_group", nullptr}, &e.groups_used}};
  for (const auto& [names, size] : sizes)
    if (const auto status = take_first(config, names, *size); !status) return status;
  if (e.count < 1) return Status::error("'num_experts': expected 1 or more, found " + std::to_string(e.count));
  if (e.shared_ffn == 0 && shared > 0 && shared <= kMostShared && e.ffn <= kWidest) e.shared_ffn = shared * e.ffn;
  return {};
}

}  // namespace

Status read_hf_experts(const json& config, const RouterForm& form, Experts& experts) {
  for (const char* name : {"num_experts", "num_local_experts", "n_routed_experts"})
    if (!form.has_experts && json_integer(config, name).value_or(0) > 0)
      return Status::error(std::string("'") + name +
                           "': a mixture of experts, which is not supported in this class; use a dense model of it");
  if (!form.has_experts) return {};
  if (const auto status = read_sizes(config, experts); !status) return status;
  if (!form.renormalise) experts.renormalise = json_bool(config, "norm_topk_prob").value_or(false);
  experts.scale = static_cast<float>(json_number(config, "routed_scaling_factor").value_or(1));
  for (const char* name : {"score_function", "moe_router_score_function", "scoring_func"}) {
    const auto kind = json_string(config, name);
    if (!kind) continue;
    if (*kind != "softmax" && *kind != "sigmoid")
      return Status::error(std::string("'") + name + "': expected 'softmax' or 'sigmoid', found " + shown_name(*kind));
    experts.sigmoid = *kind == "sigmoid";
  }
  return read_dense_layers(config, experts);
}

}  // namespace cinnabar::engine
