// Values of config.json as a spec takes them. Used by the readers of config.json only.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "base/result.h"
#include "engine/model/families.h"
#include "engine/model/model_spec.h"

namespace cinnabar::engine {

bool is_set(const nlohmann::json& config, const char* name);  // there, and not null
// The integer `name`, `fallback` when it is absent or null; without a fallback its absence is an error.
Status take_int(const nlohmann::json& config, const char* name, std::optional<int> fallback, int& out);

// The router and the sizes of experts; an error where a family without experts has some.
Status read_hf_experts(const nlohmann::json& config, const RouterForm& form, Experts& experts);

}  // namespace cinnabar::engine
