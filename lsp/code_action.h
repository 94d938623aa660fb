// Code actions with resolve, and the edits they carry: LSP 3.18, "Code Action Request" and "WorkspaceEdit".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lsp/command.h"
#include "lsp/fields.h"
#include "lsp/inline_completion.h"
#include "lsp/method.h"
#include "lsp/text_document.h"

namespace cinnabar::lsp {

// What the client has been told of a place by whatever server; of ours none.
struct Diagnostic {
  Range range;
  std::string message;
  Json sent;  // as it came, to be named in a CodeAction
};

struct CodeActionParams {
  TextDocumentIdentifier text_document;
  Range range;
  std::vector<Diagnostic> diagnostics;  // that touch the range, as the client sees it
  std::vector<std::string> only;        // kinds wanted, each with its sub-kinds; empty: all
  TriggerKind trigger = TriggerKind::invoked;
};

// `annotation` is a key of WorkspaceEdit::annotations; empty: none.
struct TextEdit {
  Range range;
  std::string new_text;
  std::string annotation;
};

// All edits count positions in the same version of the document and do not overlap.
struct DocumentEdit {
  TextDocumentIdentifier text_document;  // version absent: not open
  std::vector<TextEdit> edits;
};

struct ChangeAnnotation {
  std::string id;
  std::string label;
  bool needs_confirmation = false;  // a hint: some clients apply at once all the same
  std::string description;
};

struct WorkspaceEdit {
  std::vector<DocumentEdit> documents;
  std::vector<ChangeAnnotation> annotations;
};

struct CodeAction {
  std::string title;
  std::string kind = {};
  std::optional<WorkspaceEdit> edit = {};  // left out until resolved
  std::optional<Command> command = {};     // run by the client after the edit, or instead of one
  std::string disabled = {};               // a reason, shown to the user; empty: enabled
  bool is_preferred = false;
  bool is_generated = false;  // tag LLMGenerated; set it only for clients that announced code_action_tags
  Json data = {};             // null: none; comes back in codeAction/resolve
  Json diagnostics = {};      // null: none; the Diagnostic::sent that it resolves, an array
};

struct ApplyEditParams {
  std::string label;
  WorkspaceEdit edit;
};
// `applied` is what the client says; some say true for an edit they dropped as stale. Trust the didChange that follows.
struct ApplyEditResult {
  bool applied = false;
  std::string failure_reason;
};

bool from_json(const Field& at, Diagnostic& out);
bool from_json(const Field& at, CodeActionParams& out);
bool from_json(const Field& at, CodeAction& out);  // for resolve: everything but `edit`
bool from_json(const Field& at, ApplyEditResult& out);
Json to_json(const CodeAction& action);
Json to_json(const std::vector<CodeAction>& actions);
Json to_json(const WorkspaceEdit& edit);
Json to_json(const ApplyEditParams& params);

inline constexpr RequestMethod<CodeActionParams, std::vector<CodeAction>> kCodeAction{"textDocument/codeAction"};
inline constexpr RequestMethod<CodeAction, CodeAction> kResolveCodeAction{"codeAction/resolve"};
inline constexpr RequestMethod<ApplyEditParams, ApplyEditResult> kApplyEdit{"workspace/applyEdit"};

}  // namespace cinnabar::lsp
