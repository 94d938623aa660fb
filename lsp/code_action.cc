#include "lsp/code_action.h"

#include <algorithm>

namespace cinnabar::lsp {
namespace {

constexpr int kLlmGeneratedTag = 1;

// The members of `context`, which stand in CodeActionParams itself.
struct Context {
  CodeActionParams& params;
};

bool from_json(const Field& at, const Context& out) {
  std::optional<std::uint32_t> trigger;
  if (!at.optional("diagnostics", out.params.diagnostics) || !at.optional("only", out.params.only) ||
      !at.optional("triggerKind", trigger))
    return false;
  out.params.trigger = trigger == 2u ? TriggerKind::automatic : TriggerKind::invoked;
  return true;
}

struct Disabled {
  std::string& reason;
};

bool from_json(const Field& at, const Disabled& out) { return at.required("reason", out.reason); }

}  // namespace

bool from_json(const Field& at, Diagnostic& out) {
  out.sent = at.value();
  return at.required("range", out.range) && at.required("message", out.message);
}

bool from_json(const Field& at, CodeActionParams& out) {
  const Context context{out};
  return at.required("textDocument", out.text_document) && at.required("range", out.range) &&
         at.required("context", context);
}

bool from_json(const Field& at, CodeAction& out) {
  const Disabled disabled{out.disabled};
  std::vector<std::uint32_t> tags;
  const bool ok = at.required("title", out.title) && at.optional("kind", out.kind) &&
                  at.optional("disabled", disabled) && at.optional("isPreferred", out.is_preferred) &&
                  at.optional("command", out.command) && at.optional("tags", tags) && at.optional("data", out.data) &&
                  at.optional("diagnostics", out.diagnostics);
  out.is_generated = std::find(tags.begin(), tags.end(), kLlmGeneratedTag) != tags.end();
  return ok;
}

bool from_json(const Field& at, ApplyEditResult& out) {
  return at.required("applied", out.applied) && at.optional("failureReason", out.failure_reason);
}

Json to_json(const CodeAction& action) {
  Json out = {{"title", action.title}};
  if (!action.kind.empty()) out["kind"] = action.kind;
  if (action.edit) out["edit"] = to_json(*action.edit);
  if (action.command) out["command"] = to_json(*action.command);
  if (!action.disabled.empty()) out["disabled"] = {{"reason", action.disabled}};
  if (action.is_preferred) out["isPreferred"] = true;
  if (action.is_generated) out["tags"] = {kLlmGeneratedTag};
  if (!action.data.is_null()) out["data"] = action.data;
  if (!action.diagnostics.is_null()) out["diagnostics"] = action.diagnostics;
  return out;
}

Json to_json(const std::vector<CodeAction>& actions) {
  Json out = Json::array();
  for (const auto& action : actions) out.push_back(to_json(action));
  return out;
}

Json to_json(const WorkspaceEdit& edit) {
  Json out = {{"documentChanges", Json::array()}};
  for (const auto& document : edit.documents) {
    Json edits = Json::array();
    for (const auto& change : document.edits) {
      edits.push_back({{"range", to_json(change.range)}, {"newText", change.new_text}});
      if (!change.annotation.empty()) edits.back()["annotationId"] = change.annotation;
    }
    out["documentChanges"].push_back({{"textDocument", to_json(document.text_document)}, {"edits", std::move(edits)}});
  }
  for (const auto& annotation : edit.annotations) {
    Json& written = out["changeAnnotations"][annotation.id];
    written = {{"label", annotation.label}, {"needsConfirmation", annotation.needs_confirmation}};
    if (!annotation.description.empty()) written["description"] = annotation.description;
  }
  return out;
}

Json to_json(const ApplyEditParams& params) { return {{"label", params.label}, {"edit", to_json(params.edit)}}; }

}  // namespace cinnabar::lsp
