#include "lsp/inline_completion.h"

namespace cinnabar::lsp {
bool from_json(const Field& at, TriggerKind& out) {
  for (const auto kind : {TriggerKind::invoked_from_zero, TriggerKind::invoked, TriggerKind::automatic}) {
    if (at.value() != static_cast<int>(kind)) continue;
    out = kind;
    return true;
  }
  return at.fail("1 (invoked) or 2 (automatic)");
}

bool from_json(const Field& at, SelectedCompletion& out) {
  return at.required("range", out.range) && at.required("text", out.text);
}

bool from_json(const Field& at, FormattingOptions& out) {
  return at.optional("tabSize", out.tab_size) && at.optional("insertSpaces", out.insert_spaces);
}

namespace {

// The members of `context`, which stand in InlineCompletionParams itself.
struct Context {
  InlineCompletionParams& params;
};

bool from_json(const Field& at, const Context& out) {
  return at.required("triggerKind", out.params.trigger) && at.optional("selectedCompletionInfo", out.params.selected);
}

// insertText as plain string or as {kind: "snippet", value}.
struct InsertText {
  std::string& text;
};

bool from_json(const Field& at, const InsertText& out) {
  if (at.value().is_object()) return at.required("value", out.text);
  return from_json(at, out.text);
}

std::string_view to_text(StatusParams::Kind kind) {
  switch (kind) {
    case StatusParams::Kind::error:
      return "Error";
    case StatusParams::Kind::warning:
      return "Warning";
    case StatusParams::Kind::inactive:
      return "Inactive";
    case StatusParams::Kind::normal:
      break;
  }
  return "Normal";
}

}  // namespace

bool from_json(const Field& at, InlineCompletionParams& out) {
  const Context context{out};
  return at.required("textDocument", out.text_document) && at.required("position", out.position) &&
         at.required("context", context) && at.optional("formattingOptions", out.formatting);
}

bool from_json(const Field& at, InlineCompletionItem& out) {
  const InsertText text{out.insert_text};
  return at.required("insertText", text) && at.optional("filterText", out.filter_text) &&
         at.optional("range", out.range) && at.optional("command", out.command);
}

bool from_json(const Field& at, DidShowCompletionParams& out) { return at.required("item", out.item); }

bool from_json(const Field& at, DidPartiallyAcceptParams& out) {
  return at.required("item", out.item) && at.required("acceptedLength", out.accepted_length);
}

namespace {

struct EditItem {
  std::optional<Command>& command;
};

bool from_json(const Field& at, const EditItem& out) { return at.optional("command", out.command); }

}  // namespace

bool from_json(const Field& at, DidShowInlineEditParams& out) {
  const EditItem item{out.command};
  return at.required("item", item);
}

bool from_json(const Field& at, DidFocusParams& out) {
  std::optional<TextDocumentIdentifier> document;
  if (!at.optional("textDocument", document)) return false;
  if (document) out.uri = document->uri;
  return true;
}

Json to_json(const InlineCompletionItem& item) {
  Json out = {{"insertText", item.insert_text}};
  if (item.filter_text) out["filterText"] = *item.filter_text;
  if (item.range) out["range"] = to_json(*item.range);
  if (item.command) out["command"] = to_json(*item.command);
  return out;
}

Json to_json(const InlineCompletionList& list) {
  Json items = Json::array();
  for (const auto& item : list.items) items.push_back(to_json(item));
  return {{"items", std::move(items)}};
}

Json to_json(const NextEditList& list) {
  Json edits = Json::array();
  for (const auto& edit : list.edits) {
    Json out = {{"text", edit.text}, {"textDocument", to_json(edit.text_document)}, {"range", to_json(edit.range)}};
    if (edit.command) out["command"] = to_json(*edit.command);
    edits.push_back(std::move(out));
  }
  return {{"edits", std::move(edits)}};
}

Json to_json(const StatusParams& status) {
  return {{"busy", status.busy}, {"kind", to_text(status.kind)}, {"message", status.message}};
}

}  // namespace cinnabar::lsp
