// Notebooks and their synchronisation: LSP 3.18, "Notebook Document Synchronization". A cell's text is a text document;
// the notebook says in which order they stand.
//
// Plain wire structs. from_json is described in fields.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lsp/text_document.h"

namespace cinnabar::lsp {

struct NotebookCell {
  bool is_code = false;  // else it is markup
  std::string document;  // the uri of its text
};

struct DidOpenNotebookParams {
  std::string uri;
  std::vector<NotebookCell> cells;
  std::vector<TextDocumentItem> texts;  // of the cells
};

// Cells [start, start + removed) give way to `cells`.
struct NotebookStructure {
  std::uint32_t start = 0, removed = 0;
  std::vector<NotebookCell> cells;
  std::vector<TextDocumentItem> opened;
  std::vector<TextDocumentIdentifier> closed;
};
struct DidChangeNotebookParams {
  std::string uri;
  std::optional<NotebookStructure> structure;
  std::vector<DidChangeParams> texts;  // of cells
};

struct DidCloseNotebookParams {
  std::string uri;
  std::vector<TextDocumentIdentifier> texts;
};

bool from_json(const Field& at, NotebookCell& out);
bool from_json(const Field& at, DidOpenNotebookParams& out);
bool from_json(const Field& at, NotebookStructure& out);
bool from_json(const Field& at, DidChangeNotebookParams& out);
bool from_json(const Field& at, DidCloseNotebookParams& out);

inline constexpr NotificationMethod<DidOpenNotebookParams> kDidOpenNotebook{"notebookDocument/didOpen"};
inline constexpr NotificationMethod<DidChangeNotebookParams> kDidChangeNotebook{"notebookDocument/didChange"};
inline constexpr NotificationMethod<DidCloseNotebookParams> kDidCloseNotebook{"notebookDocument/didClose"};

}  // namespace cinnabar::lsp
