#include "lsp/text_document.h"

namespace cinnabar::lsp {

bool from_json(const Field& at, Position& out) {
  return at.required("line", out.line) && at.required("character", out.character);
}

bool from_json(const Field& at, Range& out) { return at.required("start", out.start) && at.required("end", out.end); }

Json to_json(const Position& position) { return {{"line", position.line}, {"character", position.character}}; }

Json to_json(const Range& range) { return {{"start", to_json(range.start)}, {"end", to_json(range.end)}}; }

bool from_json(const Field& at, TextDocumentItem& out) {
  return at.required("uri", out.uri) && at.required("languageId", out.language_id) &&
         at.required("version", out.version) && at.required("text", out.text);
}

bool from_json(const Field& at, TextDocumentIdentifier& out) {
  return at.required("uri", out.uri) && at.optional("version", out.version);
}

bool from_json(const Field& at, TextDocumentPosition& out) {
  return at.required("textDocument", out.text_document) && at.required("position", out.position);
}

bool from_json(const Field& at, ContentChange& out) {
  return at.optional("range", out.range) && at.required("text", out.text);
}

bool from_json(const Field& at, DidOpenParams& out) { return at.required("textDocument", out.text_document); }

namespace {

// A TextDocumentIdentifier whose version must be there.
struct Versioned {
  TextDocumentIdentifier& document;
};

bool from_json(const Field& at, const Versioned& out) {
  return at.required("uri", out.document.uri) && at.required("version", out.document.version.emplace());
}

}  // namespace

bool from_json(const Field& at, DidChangeParams& out) {
  const Versioned document{out.text_document};
  return at.required("textDocument", document) && at.required("contentChanges", out.changes);
}

bool from_json(const Field& at, DidCloseParams& out) { return at.required("textDocument", out.text_document); }

bool from_json(const Field& at, DidSaveParams& out) {
  return at.required("textDocument", out.text_document) && at.optional("text", out.text);
}

Json to_json(const TextDocumentIdentifier& document) {
  Json out = {{"uri", document.uri}, {"version", nullptr}};
  if (document.version) out["version"] = *document.version;
  return out;
}

}  // namespace cinnabar::lsp
