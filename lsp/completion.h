// textDocument/completion of LSP 3.18, as far as it serves editors that know no inline completion: the pop-up menu.
//
// Plain wire structs; positions are in the negotiated encoding.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lsp/command.h"
#include "lsp/fields.h"
#include "lsp/method.h"
#include "lsp/position.h"
#include "lsp/text_document.h"

namespace cinnabar::lsp {

// Typing a word counts as invoked, too.
enum class CompletionTrigger { invoked = 1, character = 2, incomplete = 3 };

struct CompletionParams {
  TextDocumentIdentifier text_document;
  Position position;
  CompletionTrigger trigger = CompletionTrigger::invoked;
};

// Written as plain text (never a snippet) with a textEdit. `range` lies on one line and holds the request's position;
// clients compare the text between its begin and the cursor with `filter_text`.
struct CompletionItem {
  std::string label;
  std::string detail;
  std::string documentation;  // empty: none
  std::string filter_text;
  bool preselect = false;
  std::string new_text;  // goes in as it stands: clients are told not to indent further lines anew
  Range range;
  std::optional<Command> command;  // run by the client after it accepted the item
};

// Always incomplete: the client asks again with the next key.
struct CompletionList {
  std::vector<CompletionItem> items;
};

// registerOptions for kCompletion; ServerCapabilities::completion announces the same.
Json completion_options();

bool from_json(const Field& at, CompletionTrigger& out);
bool from_json(const Field& at, CompletionParams& out);
Json to_json(const CompletionItem& item);
Json to_json(const CompletionList& list);

inline constexpr RequestMethod<CompletionParams, CompletionList> kCompletion{"textDocument/completion"};

}  // namespace cinnabar::lsp
