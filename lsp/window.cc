#include "lsp/window.h"

namespace cinnabar::lsp {

bool from_json(const Field& at, ShowDocumentResult& out) { return at.required("success", out.success); }

bool from_json(const Field& at, CancelProgressParams& out) {
  Json token;
  if (!at.required("token", token)) return false;
  const auto id = read_id(token);
  if (!id) return at.fail("token as string or whole number");
  out.token = *id;
  return true;
}

Json to_json(const WindowMessage& message) {
  return {{"type", static_cast<int>(message.type)}, {"message", message.message}};
}

Json to_json(const ShowDocumentParams& params) {
  return {{"uri", params.uri}, {"external", params.external}, {"takeFocus", params.take_focus}};
}

Json to_json(const CreateProgressParams& params) { return {{"token", to_json(params.token)}}; }

Json to_json(const WorkDoneProgress& progress) {
  Json value;
  if (!progress.message.empty()) value["message"] = progress.message;
  if (progress.kind == WorkDoneProgress::Kind::end) {
    value["kind"] = "end";
  } else {
    const bool is_begin = progress.kind == WorkDoneProgress::Kind::begin;
    value["kind"] = is_begin ? "begin" : "report";
    if (is_begin) value["title"] = progress.title;
    if (progress.percentage) value["percentage"] = *progress.percentage;
    value["cancellable"] = progress.cancellable;
  }
  return {{"token", to_json(progress.token)}, {"value", std::move(value)}};
}

}  // namespace cinnabar::lsp
