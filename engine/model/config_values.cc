#include "engine/model/config_values.h"

#include <nlohmann/json.hpp>

#include "engine/model/json.h"
#include "engine/model/spec_source.h"

namespace cinnabar::engine {

using nlohmann::json;

bool is_set(const json& config, const char* name) { return config.contains(name) && !config[name].is_null(); }

Status take_int(const json& config, const char* name, std::optional<int> fallback, int& out) {
  if (!is_set(config, name)) {
    if (!fallback) return Status::error(std::string("'") + name + "' is missing");
    out = *fallback;
    return {};
  }
  const auto value = json_integer(config, name);
  if (!value) return Status::error(std::string("'") + name + "': expected an integer");
  const auto checked = checked_int(name, *value);
  if (!checked) return checked.status();
  out = *checked;
  return {};
}

}  // namespace cinnabar::engine
