#include "daemon/config/settings.h"

#include <algorithm>
#include <optional>

#include "lsp/json.h"

namespace cinnabar::daemon {
namespace {

// A value as the command line would write it; nothing for what it cannot write.
std::optional<std::string> as_argument(const lsp::Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "on" : "off";
  if (value.is_number()) return value.dump();
  if (!value.is_array() && !value.is_object()) return std::nullopt;
  std::string list;
  for (const auto& [key, element] : value.items()) {
    const auto text = element.is_structured() ? std::nullopt : as_argument(element);
    if (!text) return std::nullopt;
    if (!list.empty()) list += ',';
    if (value.is_object()) list += key + "=";
    list += *text;
  }
  return list;
}

bool chooses_model(const Option& option) { return option.name == "model" || option.name == "adapter"; }

std::optional<std::string> apply_one(const std::string& key, const lsp::Json& value, Options& options) {
  const auto known = editor_options();
  const auto option = std::find_if(known.begin(), known.end(), [&](const Option* o) { return json_key(*o) == key; });
  if (option == known.end()) return "there is no such setting";
  const auto argument = as_argument(value);
  if (!argument) return "expected another kind of value than " + std::string(lsp::kind_of(value));
  if (chooses_model(**option) && !options.editor.trusted) return "not taken from a workspace that is not trusted";
  auto wrong = (*option)->access.set(options, *argument);
  if (!wrong) options.said.emplace((*option)->name);
  return wrong;
}

}  // namespace

std::vector<std::string> apply_settings(const lsp::Json& settings, Options& options) {
  if (!settings.is_object()) return {};
  if (const auto inner = settings.find("cinnabar"); inner != settings.end()) return apply_settings(*inner, options);
  std::vector<std::string> problems;
  const auto apply = [&](const std::string& key, const lsp::Json& value) {
    if (value.is_null()) return;
    if (const auto wrong = apply_one(key, value, options)) problems.push_back("cinnabar." + key + ": " + *wrong);
  };
  // Trust decides about the rest.
  if (const auto trusted = settings.find("trusted"); trusted != settings.end()) apply("trusted", *trusted);
  for (const auto& [key, value] : settings.items()) {
    if (key != "trusted") apply(key, value);
  }
  apply_quality(options);
  return problems;
}

lsp::Json settings_of(const Options& options) {
  static const Options kDefaults;
  lsp::Json settings = lsp::Json::object();
  for (const Option* option : editor_options()) {
    if (!option->access.get || option->name == "trusted") continue;
    std::string value = option->access.get(options);
    if (!value.empty() && value != option->access.get(kDefaults)) settings[json_key(*option)] = std::move(value);
  }
  return settings;
}

}  // namespace cinnabar::daemon
