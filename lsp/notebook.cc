#include "lsp/notebook.h"

namespace cinnabar::lsp {
namespace {

constexpr std::int32_t kCode = 2;  // NotebookCellKind

// Wire forms of what lies deeper than our structs.
struct Notebook {
  std::string uri;
  std::vector<NotebookCell> cells;  // in didOpen
};
struct Array {
  NotebookStructure& structure;
};
struct Cells {
  DidChangeNotebookParams& params;
};
struct Change {
  DidChangeNotebookParams& params;
};

bool from_json(const Field& at, Notebook& out) {
  return at.required("uri", out.uri) && at.optional("cells", out.cells);
}

bool from_json(const Field& at, const Array& out) {
  return at.required("start", out.structure.start) && at.required("deleteCount", out.structure.removed) &&
         at.optional("cells", out.structure.cells);
}

// As textDocument/didChange, under other names.
struct NamedChange {
  DidChangeParams change;
};
bool from_json(const Field& at, NamedChange& out) {
  TextDocumentIdentifier& document = out.change.text_document;
  return at.required("document", document) && at.required("changes", out.change.changes);
}

bool from_json(const Field& at, const Cells& out) {
  std::vector<NamedChange> texts;
  if (!at.optional("structure", out.params.structure) || !at.optional("textContent", texts)) return false;
  for (auto& text : texts) out.params.texts.push_back(std::move(text.change));
  return true;
}

bool from_json(const Field& at, const Change& out) {
  const Cells cells{out.params};
  return at.optional("cells", cells);
}

}  // namespace

bool from_json(const Field& at, NotebookCell& out) {
  std::int32_t kind = 0;
  if (!at.required("kind", kind) || !at.required("document", out.document)) return false;
  out.is_code = kind == kCode;
  return true;
}

bool from_json(const Field& at, DidOpenNotebookParams& out) {
  Notebook notebook;
  if (!at.required("notebookDocument", notebook) || !at.required("cellTextDocuments", out.texts)) return false;
  out.uri = std::move(notebook.uri);
  out.cells = std::move(notebook.cells);
  return true;
}

bool from_json(const Field& at, NotebookStructure& out) {
  const Array array{out};
  return at.required("array", array) && at.optional("didOpen", out.opened) && at.optional("didClose", out.closed);
}

bool from_json(const Field& at, DidChangeNotebookParams& out) {
  Notebook notebook;
  const Change change{out};
  if (!at.required("notebookDocument", notebook) || !at.required("change", change)) return false;
  out.uri = std::move(notebook.uri);
  return true;
}

bool from_json(const Field& at, DidCloseNotebookParams& out) {
  Notebook notebook;
  if (!at.required("notebookDocument", notebook) || !at.required("cellTextDocuments", out.texts)) return false;
  out.uri = std::move(notebook.uri);
  return true;
}

}  // namespace cinnabar::lsp
