// textDocument/inlineCompletion of LSP 3.18, with what Copilot's clients add to it, and the events around it.
//
// The additions (document version, formatting options, shown and accepted events, next edit) are the shapes that
// existing editor plug-ins already send; a plain LSP client leaves them out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lsp/command.h"
#include "lsp/fields.h"
#include "lsp/method.h"
#include "lsp/position.h"
#include "lsp/text_document.h"

namespace cinnabar::lsp {

// 0 is no value of LSP's: vscode-languageclient 9 sends the editor's own numbers, 0 for invoked and 1 for automatic.
enum class TriggerKind { invoked_from_zero = 0, invoked = 1, automatic = 2 };

// The entry selected in the editor's pop-up menu. Items must begin with `text` over the same range, or the client drops
// them.
struct SelectedCompletion {
  Range range;
  std::string text;
};

struct FormattingOptions {
  std::uint32_t tab_size = 4;  // columns
  bool insert_spaces = true;
};

struct InlineCompletionParams {
  TextDocumentIdentifier text_document;
  Position position;
  TriggerKind trigger = TriggerKind::automatic;
  std::optional<SelectedCompletion> selected;
  std::optional<FormattingOptions> formatting;
};

// `range` must begin and end on one line; absent: an insertion at the request's position. Plain text, never a snippet.
struct InlineCompletionItem {
  std::string insert_text;
  std::optional<std::string> filter_text;
  std::optional<Range> range;
  std::optional<Command> command;  // run by the client after it accepted the item
};

struct InlineCompletionList {
  std::vector<InlineCompletionItem> items;  // empty hides what is shown; a null result would leave it on screen
};

// textDocument/copilotInlineEdit: a change elsewhere in the document that the last edit makes likely.
struct NextEdit {
  std::string text;
  TextDocumentIdentifier text_document;
  Range range;
  std::optional<Command> command;
};
struct NextEditList {
  std::vector<NextEdit> edits;
};

struct DidShowCompletionParams {
  InlineCompletionItem item;
};
// `accepted_length` counts utf-16 units from the begin of the item's text, whatever was negotiated; it is cumulative.
struct DidPartiallyAcceptParams {
  InlineCompletionItem item;
  std::uint32_t accepted_length = 0;
};
struct DidShowInlineEditParams {
  std::optional<Command> command;  // of the edit's item: tells which one
};
// Absent uri: no document has the focus.
struct DidFocusParams {
  std::optional<std::string> uri;
};

struct StatusParams {
  enum class Kind { normal, error, warning, inactive };
  bool busy = false;
  Kind kind = Kind::normal;
  std::string message;
};

bool from_json(const Field& at, TriggerKind& out);
bool from_json(const Field& at, SelectedCompletion& out);
bool from_json(const Field& at, FormattingOptions& out);
bool from_json(const Field& at, InlineCompletionParams& out);
bool from_json(const Field& at, InlineCompletionItem& out);
bool from_json(const Field& at, DidShowCompletionParams& out);
bool from_json(const Field& at, DidPartiallyAcceptParams& out);
bool from_json(const Field& at, DidShowInlineEditParams& out);
bool from_json(const Field& at, DidFocusParams& out);
Json to_json(const InlineCompletionItem& item);
Json to_json(const InlineCompletionList& list);
Json to_json(const NextEditList& list);
Json to_json(const StatusParams& status);

inline constexpr RequestMethod<InlineCompletionParams, InlineCompletionList> kInlineCompletion{
    "textDocument/inlineCompletion"};
inline constexpr RequestMethod<TextDocumentPosition, NextEditList> kNextEdit{"textDocument/copilotInlineEdit"};
inline constexpr NotificationMethod<DidShowCompletionParams> kDidShowCompletion{"textDocument/didShowCompletion"};
inline constexpr NotificationMethod<DidPartiallyAcceptParams> kDidPartiallyAccept{
    "textDocument/didPartiallyAcceptCompletion"};
inline constexpr NotificationMethod<DidShowInlineEditParams> kDidShowInlineEdit{"textDocument/didShowInlineEdit"};
inline constexpr NotificationMethod<DidFocusParams> kDidFocus{"textDocument/didFocus"};
inline constexpr NotificationMethod<StatusParams> kDidChangeStatus{"didChangeStatus"};

}  // namespace cinnabar::lsp
