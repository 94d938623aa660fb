#include "lsp/lifecycle.h"

#include <algorithm>
#include <initializer_list>

#include "lsp/completion.h"
#include "lsp/json.h"

namespace cinnabar::lsp {
namespace {

constexpr int kIncrementalSync = 2;
constexpr int kLlmGeneratedTag = 1;

// The value at a chain of members, or null. Capabilities are hints: one of an unexpected shape counts as absent rather
// than refusing the client.
const Json* find(const Json& object, std::initializer_list<const char*> names) {
  const Json* value = &object;
  for (const char* name : names) {
    if (!value->is_object() || !value->contains(name)) return nullptr;
    value = &(*value)[name];
  }
  return value;
}

bool is_true(const Json& object, std::initializer_list<const char*> names) {
  const Json* value = find(object, names);
  return value && value->is_boolean() && value->get<bool>();
}

bool is_there(const Json& object, std::initializer_list<const char*> names) {
  const Json* value = find(object, names);
  return value && !value->is_null();
}

bool lists(const Json& object, std::initializer_list<const char*> names, const Json& wanted) {
  const Json* values = find(object, names);
  return values && values->is_array() && std::find(values->begin(), values->end(), wanted) != values->end();
}

std::vector<std::string> strings(const Json* values) {
  std::vector<std::string> out;
  if (!values || !values->is_array()) return out;
  for (const auto& value : *values)
    if (value.is_string()) out.push_back(value.get<std::string>());
  return out;
}

}  // namespace

bool from_json(const Field& at, ClientCapabilities& out) {
  if (!at.expect_object()) return false;
  const Json& all = at.value();
  out.position_encodings = strings(find(all, {"general", "positionEncodings"}));
  out.apply_edit = is_true(all, {"workspace", "applyEdit"});
  out.configuration = is_true(all, {"workspace", "configuration"});
  out.workspace_folders = is_true(all, {"workspace", "workspaceFolders"});
  out.did_change_configuration_registration =
      is_true(all, {"workspace", "didChangeConfiguration", "dynamicRegistration"});
  out.document_changes = is_true(all, {"workspace", "workspaceEdit", "documentChanges"});
  out.change_annotations = is_there(all, {"workspace", "workspaceEdit", "changeAnnotationSupport"});
  out.confirms_annotated =
      out.change_annotations && is_true(all, {"textDocument", "codeAction", "honorsChangeAnnotations"});
  out.code_action_literals = is_there(all, {"textDocument", "codeAction", "codeActionLiteralSupport"});
  out.code_action_data = is_true(all, {"textDocument", "codeAction", "dataSupport"});
  out.code_action_resolves_edit = lists(all, {"textDocument", "codeAction", "resolveSupport", "properties"}, "edit");
  out.code_action_tags = lists(all, {"textDocument", "codeAction", "tagSupport", "valueSet"}, kLlmGeneratedTag);
  out.inline_completion = is_there(all, {"textDocument", "inlineCompletion"});
  out.completion_registration = is_true(all, {"textDocument", "completion", "dynamicRegistration"});
  out.work_done_progress = is_true(all, {"window", "workDoneProgress"});
  out.show_document = is_true(all, {"window", "showDocument", "support"});
  return true;
}

bool from_json(const Field& at, WorkspaceFolder& out) {
  return at.required("uri", out.uri) && at.required("name", out.name);
}

bool from_json(const Field& at, NameAndVersion& out) {
  return at.required("name", out.name) && at.optional("version", out.version);
}

bool from_json(const Field& at, InitializeParams& out) {
  std::optional<std::string> root;
  const bool ok = at.required("capabilities", out.capabilities) && at.optional("processId", out.process_id) &&
                  at.optional("clientInfo", out.client) && at.optional("rootUri", root) &&
                  at.optional("workspaceFolders", out.folders) && at.optional("initializationOptions", out.options) &&
                  at.optional("cinnabarResumed", out.resumed);
  if (ok && out.folders.empty() && root) out.folders.push_back({*root, *root});
  // Neovim says that it honours annotations and applies what they want confirmed at once.
  if (ok && out.client && out.client->name == "Neovim") out.capabilities.confirms_annotated = false;
  return ok;
}

Json to_json(const ServerCapabilities& capabilities) {
  Json out = {
      {"positionEncoding", to_text(capabilities.position_encoding)},
      {"textDocumentSync", {{"openClose", true}, {"change", kIncrementalSync}, {"save", {{"includeText", false}}}}},
      {"inlineCompletionProvider", Json::object()},
      {"workspace", {{"workspaceFolders", {{"supported", true}, {"changeNotifications", true}}}}},
  };
  if (!capabilities.commands.empty()) out["executeCommandProvider"]["commands"] = capabilities.commands;
  if (!capabilities.code_action_kinds.empty()) {
    out["codeActionProvider"]["codeActionKinds"] = capabilities.code_action_kinds;
    out["codeActionProvider"]["resolveProvider"] = true;
  }
  if (capabilities.completion) out["completionProvider"] = completion_options();
  if (capabilities.notebooks) out["notebookDocumentSync"]["notebookSelector"] = {{{"notebook", "*"}}};
  return out;
}

Json to_json(const InitializeResult& result) {
  Json server = {{"name", result.server.name}};
  if (!result.server.version.empty()) server["version"] = result.server.version;
  return {{"capabilities", to_json(result.capabilities)}, {"serverInfo", std::move(server)}};
}

PositionEncoding choose_position_encoding(const ClientCapabilities& client) {
  std::optional<PositionEncoding> first;
  for (const auto& name : client.position_encodings) {
    const auto known = position_encoding_from(name);
    if (known == PositionEncoding::utf8) return PositionEncoding::utf8;
    if (!first) first = known;
  }
  return first.value_or(PositionEncoding::utf16);
}

}  // namespace cinnabar::lsp
