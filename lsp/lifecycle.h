// initialize, initialized, exit and what both sides say they can do: LSP 3.18, "Lifecycle Messages".
//
// Of the client's capabilities only those that change what we send are read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lsp/fields.h"
#include "lsp/method.h"
#include "lsp/position.h"

namespace cinnabar::lsp {

struct ClientCapabilities {
  std::vector<std::string> position_encodings;  // in the client's order of preference; empty: utf-16
  bool apply_edit = false;                      // workspace.applyEdit
  bool configuration = false;                   // workspace.configuration: it answers pulls
  bool workspace_folders = false;               // workspace.workspaceFolders
  bool did_change_configuration_registration = false;
  bool document_changes = false;    // workspace.workspaceEdit.documentChanges
  bool change_annotations = false;  // workspace.workspaceEdit.changeAnnotationSupport
  // ... and textDocument.codeAction.honorsChangeAnnotations, and it is known to ask before it applies such an edit.
  bool confirms_annotated = false;
  bool code_action_literals = false;       // textDocument.codeAction.codeActionLiteralSupport
  bool code_action_data = false;           // ... dataSupport: `data` survives until codeAction/resolve
  bool code_action_resolves_edit = false;  // ... resolveSupport.properties has "edit"
  bool code_action_tags = false;           // ... tagSupport has LLMGenerated
  bool inline_completion = false;          // textDocument.inlineCompletion
  bool completion_registration = false;    // textDocument.completion.dynamicRegistration
  bool work_done_progress = false;         // window.workDoneProgress
  bool show_document = false;              // window.showDocument
};

struct WorkspaceFolder {
  std::string uri;
  std::string name;
};

struct NameAndVersion {
  std::string name;
  std::string version;  // may be empty
};

struct InitializeParams {
  std::optional<std::int32_t> process_id;  // the editor's; absent or null: none to watch
  std::optional<NameAndVersion> client;    // clientInfo
  std::vector<WorkspaceFolder> folders;    // workspaceFolders, else rootUri, else none
  ClientCapabilities capabilities;
  Json options;          // initializationOptions as sent; null when absent
  bool resumed = false;  // cinnabarResumed, of our proxy: the session was begun with a daemon that is gone
};

struct ServerCapabilities {
  PositionEncoding position_encoding = PositionEncoding::utf16;
  std::vector<std::string> commands;           // empty: no executeCommandProvider
  std::vector<std::string> code_action_kinds;  // empty: no codeActionProvider
  bool completion = false;                     // completionProvider: the pop-up menu, too
  bool notebooks = false;                      // notebookDocumentSync: every notebook's cells
};

struct InitializeResult {
  ServerCapabilities capabilities;
  NameAndVersion server;
};

bool from_json(const Field& at, ClientCapabilities& out);
bool from_json(const Field& at, WorkspaceFolder& out);
bool from_json(const Field& at, InitializeParams& out);
bool from_json(const Field& at, NameAndVersion& out);
// Always announces incremental sync with open, close and save, static inline completion and workspace folders.
Json to_json(const ServerCapabilities& capabilities);
Json to_json(const InitializeResult& result);

// The encoding to answer with: utf-8 where offered (our texts are UTF-8, so nothing is counted), else the first offered
// one we know, else utf-16.
PositionEncoding choose_position_encoding(const ClientCapabilities& client);

inline constexpr RequestMethod<InitializeParams, InitializeResult> kInitialize{"initialize"};
inline constexpr NotificationMethod<Nothing> kInitialized{"initialized"};

}  // namespace cinnabar::lsp
