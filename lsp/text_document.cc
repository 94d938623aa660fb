#include "lsp/text_document.h"

#include <algorithm>
#include <cmath>

namespace cinnabar::lsp {

namespace {

// A number may be larger than LSP allows: it then counts as the largest, as any line behind the last one does. A change
// that is dropped instead would leave a text behind that is not the editor's.
struct Clamped {
  std::uint32_t& value;
};

bool from_json(const Field& at, const Clamped& out) {
  constexpr double kLargest = 2147483647;
  const double number = at.value().is_number() ? at.value().get<double>() : -1;
  if (!(number >= 0) || (number <= kLargest && number != std::trunc(number)))
    return at.fail("whole number from 0 to 2147483647");
  out.value = static_cast<std::uint32_t>(std::min(number, kLargest));
  return true;
}

}  // namespace

bool from_json(const Field& at, Position& out) {
  const Clamped line{out.line}, character{out.character};
  return at.required("line", line) && at.required("character", character);
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

// LSP wants a version here; what changed counts without one, too.
bool from_json(const Field& at, DidChangeParams& out) {
  return at.required("textDocument", out.text_document) && at.required("contentChanges", out.changes);
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
