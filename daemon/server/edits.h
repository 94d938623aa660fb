// The edits that are asked for by name (code actions and commands): which, where, what the client is told of them, and
// the machine that makes one. Pure functions.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/options.h"
#include "daemon/editing/edit_machine.h"
#include "daemon/editing/rewrite.h"
#include "daemon/workspace/documents/snapshot.h"
#include "daemon/workspace/documents/trees.h"
#include "lsp/code_action.h"

namespace cinnabar::daemon {

inline constexpr std::string_view kCompleteFunction = "cinnabar.completeFunction";  // that at the cursor
inline constexpr std::string_view kFillHoles = "cinnabar.fillHoles";  // every mark, stub and empty body of a range
inline constexpr std::string_view kRewrite = "cinnabar.rewrite";      // {uri, version, range, instruction}
inline constexpr std::string_view kEdit = "cinnabar.edit";            // what a code action offers, by EditAsked::edit
inline constexpr std::array kEditCommands = {kRewrite, kCompleteFunction, kFillHoles, kEdit};
inline constexpr std::array<std::string_view, 5> kEditKinds = {"quickfix", "refactor.extract", "refactor.rewrite",
                                                               "refactor.rewrite.cinnabar.completeFunction",
                                                               "refactor.rewrite.cinnabar.fillHoles"};

// One edit in full, so that it can be made without anything else being remembered: a command's argument, and a code
// action's data. The range is absent or empty for a cursor, or for the whole document.
struct EditAsked {
  std::string command;
  lsp::TextDocumentIdentifier text_document;  // with a version: another one is an error
  std::optional<lsp::Range> range;
  std::string title;                  // as it was offered
  std::string edit = "rewrite";       // what kEdit does: that, or a refactoring by its id
  std::string instruction;            // a rewrite's
  std::vector<std::string> messages;  // of diagnostics, beside the instruction
  std::optional<RewriteExample> example;
  std::optional<lsp::Range> dropped;  // a line that goes with it: the comment that asked
  bool confirm = false;               // the client is to ask the user, with what would change before him
};

lsp::Expected<EditAsked> read_edit(std::string_view command, const lsp::Json& argument, std::string_view name);
lsp::Expected<EditAsked> read_edit(const lsp::Json& data);
lsp::Json to_json(const EditAsked& asked);

struct EditOffer {
  std::string kind;  // a code action's
  EditAsked asked;
  lsp::Json diagnostics = {};  // those that it resolves
};

// What is offered at a place.
struct ActionScene {
  SnapshotPtr document;
  const syntax::Tree* tree = nullptr;  // null: none
  lsp::PositionEncoding encoding = lsp::PositionEncoding::utf16;
  lsp::Range range;
  std::size_t begin = 0, end = 0;  // the same in bytes
  bool invoked = true;             // by the user; else with a move of the cursor
  std::vector<lsp::Diagnostic> diagnostics;
  std::optional<RewriteExample> last_edit;  // what the user changed last elsewhere
  bool previews = false;                    // the client asks before it applies what is annotated
};
std::vector<EditOffer> offers_at(const ActionScene& scene);

// As a client reads it in a menu: "Complete function", "Fill all 3 holes".
std::string title_of(std::string_view command, std::size_t holes);

// The machine for an edit of `document`; `tree` may be null. Error: why there is nothing to be done.
struct MachineOptions {
  const RequestOptions& request;
  bool fills_together = false;
};
Result<std::unique_ptr<EditMachine>> machine_for(const EditAsked& asked, const DocumentSnapshot& document,
                                                 const syntax::Tree* tree, lsp::PositionEncoding encoding,
                                                 const MachineOptions& options);

// Whether a client that asks for `only` these kinds wants one of `kind`.
bool is_wanted(std::string_view kind, std::span<const std::string> only);

// One versioned edit of `document`.
lsp::WorkspaceEdit workspace_edit(const DocumentSnapshot& document, std::span<const TextChange> changes,
                                  lsp::PositionEncoding encoding, const EditAsked& asked);

}  // namespace cinnabar::daemon
