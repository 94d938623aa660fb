#include "lsp/workspace.h"

namespace cinnabar::lsp {
namespace {

// The members of `event`, which stand in the params themselves.
struct Event {
  DidChangeWorkspaceFoldersParams& params;
};

bool from_json(const Field& at, const Event& out) {
  return at.required("added", out.params.added) && at.required("removed", out.params.removed);
}

}  // namespace

bool from_json(const Field& at, DidChangeConfigurationParams& out) { return at.optional("settings", out.settings); }

bool from_json(const Field& at, DidChangeWorkspaceFoldersParams& out) {
  const Event event{out};
  return at.required("event", event);
}

Json to_json(const ConfigurationParams& params) {
  Json items = Json::array();
  for (const auto& item : params.items) {
    items.push_back({{"section", item.section}});
    if (item.scope_uri) items.back()["scopeUri"] = *item.scope_uri;
  }
  return {{"items", std::move(items)}};
}

Json to_json(const Registration& registration) {
  Json entry = {{"id", registration.id}, {"method", registration.method}};
  if (!registration.options.is_null()) entry["registerOptions"] = registration.options;
  return {{"registrations", Json::array({std::move(entry)})}};
}

Json to_json(const Unregistration& unregistration) {
  Json entry = {{"id", unregistration.id}, {"method", unregistration.method}};
  return {{"unregisterations", Json::array({std::move(entry)})}};  // LSP's spelling
}

}  // namespace cinnabar::lsp
