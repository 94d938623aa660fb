// Configuration and folders: LSP 3.18, "Workspace Features".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lsp/fields.h"
#include "lsp/lifecycle.h"
#include "lsp/method.h"

namespace cinnabar::lsp {

// One value is asked for; absent scope: the whole session, else a resource or folder.
struct ConfigurationItem {
  std::optional<std::string> scope_uri;
  std::string section;
};
struct ConfigurationParams {
  std::vector<ConfigurationItem> items;
};

// Many clients send null settings and expect the server to pull.
struct DidChangeConfigurationParams {
  Json settings;
};

struct DidChangeWorkspaceFoldersParams {
  std::vector<WorkspaceFolder> added;
  std::vector<WorkspaceFolder> removed;
};

// client/registerCapability and client/unregisterCapability for one method.
struct Registration {
  std::string id;
  std::string method;
  Json options = nullptr;  // registerOptions; null: none
};
struct Unregistration {
  std::string id;
  std::string method;
};

bool from_json(const Field& at, DidChangeConfigurationParams& out);
bool from_json(const Field& at, DidChangeWorkspaceFoldersParams& out);
Json to_json(const ConfigurationParams& params);
Json to_json(const Registration& registration);
Json to_json(const Unregistration& unregistration);

// The result has one value an item, null where the client has none.
inline constexpr RequestMethod<ConfigurationParams, std::vector<Json>> kConfiguration{"workspace/configuration"};
inline constexpr NotificationMethod<DidChangeConfigurationParams> kDidChangeConfiguration{
    "workspace/didChangeConfiguration"};
inline constexpr NotificationMethod<DidChangeWorkspaceFoldersParams> kDidChangeWorkspaceFolders{
    "workspace/didChangeWorkspaceFolders"};
inline constexpr RequestMethod<Registration, Nothing> kRegisterCapability{"client/registerCapability"};
inline constexpr RequestMethod<Unregistration, Nothing> kUnregisterCapability{"client/unregisterCapability"};

}  // namespace cinnabar::lsp
