// Text documents and their synchronisation: LSP 3.18, "Text Document Synchronization".
//
// Plain wire structs; positions are in the negotiated encoding. from_json is described in fields.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lsp/fields.h"
#include "lsp/method.h"
#include "lsp/position.h"

namespace cinnabar::lsp {

bool from_json(const Field& at, Position& out);
bool from_json(const Field& at, Range& out);
Json to_json(const Position& position);
Json to_json(const Range& range);

struct TextDocumentItem {
  std::string uri;
  std::string language_id;
  std::int32_t version = 0;
  std::string text;
};

// `version` is LSP's in didChange and Copilot's addition elsewhere; absent or null: not said.
struct TextDocumentIdentifier {
  std::string uri;
  std::optional<std::int32_t> version;
};

struct TextDocumentPosition {
  TextDocumentIdentifier text_document;
  Position position;
};

// Replaces `range` by `text`, or the whole document when there is no range. The deprecated rangeLength is ignored.
struct ContentChange {
  std::optional<Range> range;
  std::string text;
};

struct DidOpenParams {
  TextDocumentItem text_document;
};
struct DidChangeParams {
  TextDocumentIdentifier text_document;
  std::vector<ContentChange> changes;  // each applies to the outcome of the one before
};
struct DidCloseParams {
  TextDocumentIdentifier text_document;
};
struct DidSaveParams {
  TextDocumentIdentifier text_document;
  std::optional<std::string> text;
};

bool from_json(const Field& at, TextDocumentItem& out);
bool from_json(const Field& at, TextDocumentIdentifier& out);
bool from_json(const Field& at, TextDocumentPosition& out);
bool from_json(const Field& at, ContentChange& out);
bool from_json(const Field& at, DidOpenParams& out);
bool from_json(const Field& at, DidChangeParams& out);
bool from_json(const Field& at, DidCloseParams& out);
bool from_json(const Field& at, DidSaveParams& out);
Json to_json(const TextDocumentIdentifier& document);  // version null when absent

inline constexpr NotificationMethod<DidOpenParams> kDidOpen{"textDocument/didOpen"};
inline constexpr NotificationMethod<DidChangeParams> kDidChange{"textDocument/didChange"};
inline constexpr NotificationMethod<DidCloseParams> kDidClose{"textDocument/didClose"};
inline constexpr NotificationMethod<DidSaveParams> kDidSave{"textDocument/didSave"};

}  // namespace cinnabar::lsp
