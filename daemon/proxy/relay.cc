#include "daemon/proxy/relay.h"

#include <algorithm>
#include <array>
#include <utility>

#include "lsp/fields.h"
#include "lsp/lifecycle.h"
#include "lsp/text_document.h"

namespace cinnabar::daemon {
namespace {

using lsp::ErrorCode;
using lsp::Json;
using lsp::to_text;
using lsp::write_json;

const lsp::RequestId kOurInitialize{"cinnabar/initialize"};
constexpr std::size_t kNotebookBytes = 16 * 1024 * 1024;  // remembered in all; beyond, the notebook is forgotten

// Notifications of which the last one holds until the next.
bool sets_something(std::string_view method) {
  static constexpr std::array kSetting = {"workspace/didChangeConfiguration", "$/setTrace", "textDocument/didFocus"};
  return std::find(kSetting.begin(), kSetting.end(), method) != kSetting.end();
}

// The answer to a request that no daemon will answer: nothing to show where that can be said, else an error that
// editors pass over in silence.
std::string empty_answer(const lsp::RequestId& id, std::string_view method) {
  if (method == "shutdown") return write_json(lsp::make_result(id, nullptr));
  if (method == "textDocument/inlineCompletion") return write_json(lsp::make_result(id, {{"items", Json::array()}}));
  if (method == "textDocument/completion")
    return write_json(lsp::make_result(id, {{"isIncomplete", true}, {"items", Json::array()}}));
  return write_json(lsp::make_error(id, {ErrorCode::content_modified, "the daemon was restarted; please ask again"}));
}

std::string notification(std::string_view method, Json params) {
  return write_json(lsp::make_notification(method, std::move(params)));
}

// params.NAME as a list of objects with these two members, as one text each.
std::vector<std::string> registrations_in(const Json& params, const char* list) {
  std::vector<std::string> found;
  if (!params.is_object() || !params.contains(list) || !params[list].is_array()) return found;
  for (const Json& entry : params[list]) {
    if (entry.is_object())
      found.push_back(write_json(entry.value("id", Json())) + write_json(entry.value("method", Json())));
  }
  return found;
}

const Json& member(const Json& object, const char* name) {
  static const Json kNone;
  if (!object.is_object()) return kNone;
  const auto found = object.find(name);
  return found == object.end() ? kNone : *found;
}

lsp::PositionEncoding encoding_in(const Json& initialize_result) {
  const Json& name = member(member(initialize_result, "capabilities"), "positionEncoding");
  const auto encoding = name.is_string() ? lsp::position_encoding_from(name.get<std::string>()) : std::nullopt;
  return encoding.value_or(lsp::PositionEncoding::utf16);
}

}  // namespace

Relay::Out Relay::from_editor(std::string body) {
  Out out;
  if (exit_code_) return out;
  auto value = lsp::parse_json(body);
  lsp::MessageProblem problem;
  if (!value.ok()) {
    problem.error = value.error();
  } else {
    auto classified = lsp::classify(std::move(value).value());
    if (auto* message = std::get_if<lsp::Message>(&classified)) {
      if (auto* request = std::get_if<lsp::Request>(message))
        return editor_request(std::move(*request), std::move(body));
      if (auto* note = std::get_if<lsp::Notification>(message)) return editor_notification(*note, std::move(body));
      return editor_response(std::move(std::get<lsp::Response>(*message)));
    }
    problem = std::get<lsp::MessageProblem>(std::move(classified));
  }
  // No message: the daemon's to refuse, where there is one.
  if (passes()) {
    out.to_daemon.push_back(std::move(body));
  } else if (problem.wants_answer) {
    out.to_editor.push_back(write_json(lsp::make_error(problem.id, std::move(problem.error))));
  }
  return out;
}

Relay::Out Relay::editor_request(lsp::Request request, std::string body) {
  Out out;
  const bool initializes = request.method == lsp::kInitialize.name && stage_ == Stage::fresh;
  if (initializes) remember_editor(request.params);  // whether or not it can be answered well
  if (unavailable_ && stage_ != Stage::running) {
    const bool ours = request.method == "shutdown";
    const auto code = initializes ? ErrorCode::request_failed : ErrorCode::server_not_initialized;
    out.to_editor.push_back(ours ? empty_answer(request.id, request.method)
                                 : write_json(lsp::make_error(request.id, {code, *unavailable_})));
    if (ours) stage_ = Stage::shut_down;
    return out;
  }
  if (initializes) remember_initialize(request);
  const bool shuts_down = request.method == "shutdown" && stage_ == Stage::running;
  if (passes()) {
    owed_.emplace(to_text(request.id), Owed{request.id, request.method});
    out.to_daemon.push_back(std::move(body));
  } else if (!initializes) {  // which the next daemon will get
    out.to_editor.push_back(answer_in_gap(request));
  }
  if (shuts_down) stage_ = Stage::shut_down;
  return out;
}

std::string Relay::answer_in_gap(const lsp::Request& request) const {
  if (stage_ == Stage::running) return empty_answer(request.id, request.method);
  lsp::ResponseError error{ErrorCode::server_not_initialized, "initialize has not been answered yet"};
  if (stage_ == Stage::shut_down) error = {ErrorCode::invalid_request, "the server is shut down"};
  return write_json(lsp::make_error(request.id, std::move(error)));
}

void Relay::remember_initialize(const lsp::Request& request) {
  stage_ = Stage::initializing;
  initialize_id_ = request.id;
  initialize_params_ = request.params;
}

void Relay::remember_editor(const Json& initialize_params) {
  const Json& process = member(initialize_params, "processId");
  if (process.is_number_integer() && process.get<std::int64_t>() > 0)
    editor_process_ = static_cast<std::int32_t>(process.get<std::int64_t>());
}

Relay::Out Relay::editor_notification(const lsp::Notification& notification, std::string body) {
  Out out;
  if (notification.method == "exit") exit_code_ = stage_ == Stage::shut_down ? 0 : 1;
  if (stage_ == Stage::running) remember(notification, body);
  if (passes()) out.to_daemon.push_back(std::move(body));
  return out;
}

Relay::Out Relay::editor_response(lsp::Response response) {
  Out out;
  if (!passes() || !response.id || !std::holds_alternative<std::int64_t>(*response.id)) return out;
  const auto asked = asked_.extract(std::get<std::int64_t>(*response.id));
  if (!asked) return out;  // a lost daemon's question
  const auto& id = asked.mapped();
  const bool ok = response.result.ok();
  out.to_daemon.push_back(write_json(ok ? lsp::make_result(id, std::move(response.result).value())
                                        : lsp::make_error(id, response.result.error())));
  return out;
}

Relay::Out Relay::from_daemon(std::string body) {
  Out out;
  auto value = lsp::parse_json(body);
  if (!value.ok()) return out;  // not one of ours
  auto classified = lsp::classify(std::move(value).value());
  if (auto* message = std::get_if<lsp::Message>(&classified)) {
    if (auto* request = std::get_if<lsp::Request>(message)) return daemon_request(std::move(*request));
    if (auto* note = std::get_if<lsp::Notification>(message)) return daemon_notification(*note, std::move(body));
    return daemon_response(std::get<lsp::Response>(*message), std::move(body));
  }
  out.to_editor.push_back(std::move(body));  // an error with id null
  return out;
}

Relay::Out Relay::daemon_request(lsp::Request request) {
  Out out;
  if (registered_already(request)) {
    out.to_daemon.push_back(write_json(lsp::make_result(request.id, nullptr)));
    return out;
  }
  remember_registrations(request);
  const std::int64_t ours = ++last_asked_;
  asked_.emplace(ours, request.id);
  out.to_editor.push_back(write_json(lsp::make_request(ours, request.method, std::move(request.params))));
  return out;
}

Relay::Out Relay::daemon_response(const lsp::Response& response, std::string body) {
  Out out;
  if (link_ == Link::initializing && response.id == kOurInitialize) {
    if (response.result.ok()) {
      reopen(*response.result, out);
    } else {
      failure_ = "the daemon was restarted and refuses the session: " + response.result.error().message;
    }
    return out;
  }
  if (response.id) {
    const auto owed = owed_.extract(to_text(*response.id));
    const bool initializes = owed && owed.mapped().method == lsp::kInitialize.name;
    if (owed && !initializes) ++answered_;
    if (initializes && stage_ == Stage::initializing) {
      if (response.result.ok()) {
        initialized(*response.result);
      } else {
        stage_ = Stage::fresh;
      }
    }
  }
  out.to_editor.push_back(std::move(body));
  show_note(out);
  return out;
}

void Relay::initialized(const Json& result) {
  stage_ = Stage::running;
  documents_ = DocumentStore(encoding_in(result));
}

Relay::Out Relay::daemon_notification(const lsp::Notification& notification, std::string body) {
  Out out;
  if (notification.method == "$/progress") track_progress(notification.params);
  if (notification.method == "$/cancelRequest") {
    const auto id = lsp::read_id(member(notification.params, "id"));
    const auto asked =
        std::find_if(asked_.begin(), asked_.end(), [&](const auto& entry) { return entry.second == id; });
    if (asked != asked_.end()) out.to_editor.push_back(daemon::notification("$/cancelRequest", {{"id", asked->first}}));
    return out;
  }
  out.to_editor.push_back(std::move(body));
  return out;
}

Relay::Out Relay::daemon_found() {
  Out out;
  link_ = Link::up;
  answered_ = 0;
  unavailable_.reset();
  if (stage_ == Stage::initializing) {
    out.to_daemon.push_back(write_json(lsp::make_request(*initialize_id_, lsp::kInitialize.name, initialize_params_)));
    owed_.emplace(to_text(*initialize_id_), Owed{*initialize_id_, std::string(lsp::kInitialize.name)});
  } else if (stage_ == Stage::running) {
    link_ = Link::initializing;
    Json params = initialize_params_;
    params.erase("workDoneToken");  // the editor has forgotten it
    params["cinnabarResumed"] = true;
    out.to_daemon.push_back(write_json(lsp::make_request(kOurInitialize, lsp::kInitialize.name, std::move(params))));
  }
  return out;
}

void Relay::reopen(const Json& result, Out& out) {
  if (encoding_in(result) != documents_.encoding()) {
    failure_ = "the daemon was replaced by one that counts positions otherwise; the editor has to start anew";
    return;
  }
  link_ = Link::up;
  if (initialized_sent_) out.to_daemon.push_back(notification(lsp::kInitialized.name, Json::object()));
  auto open = documents_.all();
  std::sort(open.begin(), open.end(), [](const auto& a, const auto& b) { return a->revision() < b->revision(); });
  for (const auto& document : open) {
    out.to_daemon.push_back(notification(lsp::kDidOpen.name, {{"textDocument",
                                                               {{"uri", document->uri()},
                                                                {"languageId", document->language_id()},
                                                                {"version", document->version()},
                                                                {"text", document->text()}}}}));
  }
  for (const auto& [uri, bodies] : notebooks_) out.to_daemon.insert(out.to_daemon.end(), bodies.begin(), bodies.end());
  for (const auto& [method, body] : settings_) out.to_daemon.push_back(body);
}

Relay::Out Relay::daemon_lost() {
  Out out;
  link_ = Link::none;
  for (const auto& [text, owed] : std::exchange(owed_, {})) {
    if (owed.method != lsp::kInitialize.name || stage_ != Stage::initializing)
      out.to_editor.push_back(empty_answer(owed.id, owed.method));
  }
  for (const auto& [text, token] : std::exchange(progress_, {}))
    out.to_editor.push_back(notification("$/progress", {{"token", token}, {"value", {{"kind", "end"}}}}));
  for (const auto& [ours, id] : std::exchange(asked_, {}))
    out.to_editor.push_back(notification("$/cancelRequest", {{"id", ours}}));
  return out;
}

Relay::Out Relay::daemon_unavailable(const std::string& why) {
  Out out;
  if (std::exchange(unavailable_, why)) return out;
  if (stage_ == Stage::initializing) {
    out.to_editor.push_back(write_json(lsp::make_error(initialize_id_, {ErrorCode::request_failed, why})));
    stage_ = Stage::fresh;
  } else if (stage_ == Stage::running) {
    out.to_editor.push_back(notification("window/showMessage", {{"type", 1}, {"message", why}}));
  }
  return out;
}

Relay::Out Relay::note(const std::string& what) {
  Out out;
  note_ = what == note_shown_ ? std::string() : what;
  show_note(out);
  return out;
}

void Relay::show_note(Out& out) {
  if (stage_ != Stage::running || note_.empty()) return;
  out.to_editor.push_back(notification("window/showMessage", {{"type", 2}, {"message", note_}}));
  note_shown_ = std::exchange(note_, {});
}

void Relay::remember(const lsp::Notification& notification, const std::string& body) {
  const std::string& method = notification.method;
  if (method == lsp::kInitialized.name) initialized_sent_ = true;
  if (sets_something(method)) settings_[method] = body;
  if (method == "workspace/didChangeWorkspaceFolders") remember_folders(notification.params);
  if (method.starts_with("notebookDocument/")) remember_notebook(notification, body);
  // What the store refuses, the daemon's refuses too: it is not open, or too large.
  if (method == lsp::kDidOpen.name) {
    if (auto params = lsp::read<lsp::DidOpenParams>(notification.params, "params", ErrorCode::invalid_params);
        params.ok())
      (void)documents_.open(params->text_document).status();
  } else if (method == lsp::kDidChange.name) {
    if (auto params = lsp::read<lsp::DidChangeParams>(notification.params, "params", ErrorCode::invalid_params);
        params.ok())
      (void)documents_.change(*params).status();
    else if (const Json& uri = member(member(notification.params, "textDocument"), "uri"); uri.is_string())
      documents_.lose(uri.get<std::string>());
  } else if (method == lsp::kDidClose.name) {
    if (auto params = lsp::read<lsp::DidCloseParams>(notification.params, "params", ErrorCode::invalid_params);
        params.ok())
      (void)documents_.close(params->text_document.uri);
  }
}

void Relay::remember_folders(const Json& params) {
  const Json& event = member(params, "event");
  Json folders = member(initialize_params_, "workspaceFolders");
  if (!folders.is_array()) folders = Json::array();
  const auto uri_of = [](const Json& folder) { return member(folder, "uri"); };
  if (member(event, "removed").is_array()) {
    for (const Json& gone : event["removed"]) {
      for (auto at = folders.begin(); at != folders.end();)
        at = uri_of(*at) == uri_of(gone) ? folders.erase(at) : at + 1;
    }
  }
  if (member(event, "added").is_array()) folders.insert(folders.end(), event["added"].begin(), event["added"].end());
  initialize_params_["workspaceFolders"] = std::move(folders);
}

// A notebook is remembered as what was said about it: structure and cell texts are the daemon's to understand.
void Relay::remember_notebook(const lsp::Notification& notification, const std::string& body) {
  const Json& uri = member(member(notification.params, "notebookDocument"), "uri");
  if (!uri.is_string() || notification.method == "notebookDocument/didSave") return;
  const auto name = uri.get<std::string>();
  const bool opens = notification.method == "notebookDocument/didOpen";
  const bool too_much = notebook_bytes_ + body.size() > kNotebookBytes;
  if (opens || too_much || notification.method == "notebookDocument/didClose") {
    for (const auto& said : notebooks_[name]) notebook_bytes_ -= said.size();
    notebooks_.erase(name);
  }
  if (too_much || (!opens && !notebooks_.contains(name))) return;
  notebooks_[name].push_back(body);
  notebook_bytes_ += body.size();
}

bool Relay::registered_already(const lsp::Request& request) const {
  if (request.method != "client/registerCapability") return false;
  const auto wanted = registrations_in(request.params, "registrations");
  return !wanted.empty() &&
         std::all_of(wanted.begin(), wanted.end(), [&](const auto& entry) { return registrations_.contains(entry); });
}

void Relay::remember_registrations(const lsp::Request& request) {
  if (request.method == "client/registerCapability") {
    for (auto& entry : registrations_in(request.params, "registrations")) registrations_.insert(std::move(entry));
  } else if (request.method == "client/unregisterCapability") {
    for (const auto& entry : registrations_in(request.params, "unregisterations")) registrations_.erase(entry);
  }
}

void Relay::track_progress(const Json& params) {
  const Json& token = member(params, "token");
  const Json& kind = member(member(params, "value"), "kind");
  if (kind == "begin") progress_[write_json(token)] = token;
  if (kind == "end") progress_.erase(write_json(token));
}

}  // namespace cinnabar::daemon
