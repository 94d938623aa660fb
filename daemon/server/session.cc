#include "daemon/server/session.h"

#include <algorithm>
#include <utility>

#include "daemon/config/settings.h"
#include "daemon/version.h"
#include "daemon/workspace/exclusions.h"
#include "lsp/text_document.h"

namespace cinnabar::daemon {
namespace {

// Then the file system is asked again: ignore files change, links are turned.
constexpr std::chrono::seconds kReasonHolds{1};
constexpr std::chrono::milliseconds kTurn{4};  // of one client's, while others may wait

std::vector<std::string> paths_of(const std::vector<lsp::WorkspaceFolder>& folders) {
  std::vector<std::string> paths;
  for (const auto& folder : folders) {
    std::string path = path_of(folder.uri);
    if (path.empty()) continue;
    if (path.back() != '/') path += '/';
    paths.push_back(std::move(path));
  }
  return paths;
}

std::string late_text(std::chrono::milliseconds late) {
  return "the last answer was not ready after " + std::to_string((late.count() + 500) / 1000) +
         " s: this machine is slow or busy; a lower promptBytes or a smaller model is quicker";
}

// params.textDocument.uri, as far as it can be read.
std::string uri_in(const lsp::Json& params) {
  if (!params.is_object() || !params.contains("textDocument")) return {};
  const lsp::Json& document = params["textDocument"];
  if (!document.is_object() || !document.contains("uri")) return {};
  return document["uri"].is_string() ? document["uri"].get<std::string>() : std::string();
}

bool same(const lsp::StatusParams& a, const lsp::StatusParams& b) {
  return a.busy == b.busy && a.kind == b.kind && a.message == b.message;
}

}  // namespace

std::shared_ptr<Session> Session::create(Services& services, engine::ClientId client,
                                         std::shared_ptr<lsp::Transport> out) {
  std::shared_ptr<Session> session(new Session(services, client, std::move(out)));
  const Guard guard = [weak = std::weak_ptr<Session>(session)](const std::function<void()>& function) {
    const auto alive = weak.lock();
    if (!alive) return;
    const std::lock_guard lock(alive->mutex_);
    if (alive->completer_) function();
  };
  session->jobs_ = std::make_unique<ClientJobs>(services.runner(), client, guard);
  session->completer_ = std::make_unique<Completer>(services, session->state_, *session->jobs_);
  session->edits_ =
      std::make_unique<EditActions>(services, session->state_, *session->jobs_, session->dispatcher_,
                                    [raw = session.get()](const std::string& uri) { return raw->open_document(uri); });
  session->next_edits_ = std::make_unique<NextEdits>(services, session->state_, *session->jobs_);
  return session;
}

Session::Session(Services& services, engine::ClientId client, std::shared_ptr<lsp::Transport> out)
    : services_(services),
      client_(client),
      options_(services.defaults()),
      model_(services.runner().model()),
      dispatcher_(std::move(out),
                  {.on_problem = [this](const std::string& text) { log(text); },
                   .on_lost = [this](std::string_view method, const lsp::Json& params) { lost(method, params); }}) {
  register_lifecycle();
  register_documents();
  register_notebooks();
  register_completions();
  register_edits();
  register_configuration();
}

void Session::receive(std::string_view bytes) {
  arrive(bytes);
  while (turn()) continue;
}

void Session::arrive(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  dispatcher_.take(bytes);
}

bool Session::turn() {
  const std::lock_guard lock(mutex_);
  const auto until = std::chrono::steady_clock::now() + kTurn;
  bool more = true;
  while (more && std::chrono::steady_clock::now() < until) more = dispatcher_.handle_next();
  if (completer_) completer_->drop_cancelled();
  if (edits_) edits_->drop_cancelled();
  if (next_edits_) next_edits_->drop_cancelled();
  return more;
}

bool Session::closed() const {
  const std::lock_guard lock(mutex_);
  return dispatcher_.closed();
}

std::optional<int> Session::exit_code() const {
  const std::lock_guard lock(mutex_);
  return dispatcher_.exit_code();
}

std::optional<std::int32_t> Session::editor_process() const {
  const std::lock_guard lock(mutex_);
  return editor_process_;
}

std::size_t Session::requests_in_flight() const { return dispatcher_.requests_in_flight(); }

void Session::end() {
  const std::lock_guard lock(mutex_);
  jobs_->cancel_all();
  edits_.reset();
  next_edits_.reset();
  completer_.reset();
}

void Session::register_lifecycle() {
  dispatcher_.on_request(lsp::kInitialize,
                         [this](const lsp::InitializeParams& params, auto reply) { reply.result(initialize(params)); });
  dispatcher_.on_notification(lsp::kInitialized, [this](lsp::Nothing) { initialized(); });
  dispatcher_.on_request(lsp::kShutdown, [this](lsp::Nothing, auto reply) {
    for (const auto& document : state_.documents.all()) {
      edits_->closed(document->uri());
      next_edits_->closed(document->uri());
      completer_->closed(document->uri());
    }
    jobs_->cancel_all();
    reply.result({});
  });
  dispatcher_.on_request(kStatus, [this](lsp::Nothing, auto reply) { reply.result(services_.status()); });
}

void Session::register_documents() {
  dispatcher_.on_notification(lsp::kDidOpen,
                              [this](const lsp::DidOpenParams& params) { opened(params.text_document); });
  dispatcher_.on_notification(lsp::kDidChange, [this](const lsp::DidChangeParams& params) { changed(params); });
  dispatcher_.on_notification(lsp::kDidClose,
                              [this](const lsp::DidCloseParams& params) { closed(params.text_document.uri); });
  dispatcher_.on_notification(
      lsp::kDidSave, [this](const lsp::DidSaveParams& params) { completer_->saved(params.text_document.uri); });
  dispatcher_.on_notification(lsp::kDidFocus, [this](const lsp::DidFocusParams& params) { focused(params); });
}

// The cells' texts are documents like others; the notebook only orders them.
void Session::register_notebooks() {
  dispatcher_.on_notification(lsp::kDidOpenNotebook, [this](const lsp::DidOpenNotebookParams& params) {
    state_.notebooks.open(params);
    for (const auto& text : params.texts) opened(text);
  });
  dispatcher_.on_notification(lsp::kDidChangeNotebook, [this](const lsp::DidChangeNotebookParams& params) {
    if (params.structure) {
      state_.notebooks.change(params.uri, *params.structure);
      for (const auto& text : params.structure->opened) opened(text);
      for (const auto& text : params.structure->closed) closed(text.uri);
    }
    for (const auto& text : params.texts) changed(text);
  });
  dispatcher_.on_notification(lsp::kDidCloseNotebook, [this](const lsp::DidCloseNotebookParams& params) {
    state_.notebooks.close(params.uri);
    for (const auto& text : params.texts) closed(text.uri);
  });
}

void Session::register_completions() {
  dispatcher_.on_request(lsp::kInlineCompletion, [this](const lsp::InlineCompletionParams& params, auto reply) {
    complete(params, std::move(reply));
  });
  dispatcher_.on_request(lsp::kCompletion, [this](const lsp::CompletionParams& params, auto reply) {
    complete_menu(params, std::move(reply));
  });
  dispatcher_.on_request(lsp::kExecuteCommand, [this](const lsp::ExecuteCommandParams& params, auto reply) {
    execute(params, std::move(reply));
  });
  dispatcher_.on_notification(lsp::kDidShowCompletion,
                              [this](const lsp::DidShowCompletionParams& params) { completer_->shown(params.item); });
  dispatcher_.on_notification(lsp::kDidPartiallyAccept, [this](const lsp::DidPartiallyAcceptParams& params) {
    completer_->partly_accepted(params.item);
  });
}

void Session::register_edits() {
  dispatcher_.on_request(lsp::kCodeAction, [this](const lsp::CodeActionParams& params, auto reply) {
    reply.result(edits_->offered(params, capabilities_, next_edits_->last_edit(params.text_document.uri)));
  });
  dispatcher_.on_request(lsp::kResolveCodeAction, [this](lsp::CodeAction action, auto reply) {
    edits_->drop_cancelled();
    edits_->resolve(std::move(action), options_, capabilities_, std::move(reply));
  });
  dispatcher_.on_request(lsp::kNextEdit, [this](const lsp::TextDocumentPosition& params, auto reply) {
    next_edits_->drop_cancelled();
    const auto document = state_.documents.find(params.text_document.uri);
    if (!document || !exclusion_reason(*document).empty()) return reply.result({});
    next_edits_->ask(document, params, options_, std::move(reply));
  });
  dispatcher_.on_notification(lsp::kDidShowInlineEdit,
                              [this](const lsp::DidShowInlineEditParams& params) { next_edits_->shown(params); });
  dispatcher_.on_notification(lsp::kCancelProgress, [this](const lsp::CancelProgressParams& params) {
    edits_->progress_cancelled(params.token);
  });
}

void Session::register_configuration() {
  dispatcher_.on_notification(lsp::kDidChangeConfiguration, [this](const lsp::DidChangeConfigurationParams& params) {
    if (capabilities_.configuration) return pull_settings();
    take_settings(params.settings);
  });
  dispatcher_.on_notification(lsp::kDidChangeWorkspaceFolders,
                              [this](const lsp::DidChangeWorkspaceFoldersParams& params) {
                                for (const auto& path : paths_of(params.removed)) std::erase(folders_, path);
                                for (auto& path : paths_of(params.added)) folders_.push_back(std::move(path));
                                reasons_.clear();
                                completer_->set_workspace(folders_, options_);
                              });
}

lsp::InitializeResult Session::initialize(const lsp::InitializeParams& params) {
  capabilities_ = params.capabilities;
  folders_ = paths_of(params.folders);
  initialization_options_ = params.options;
  editor_process_ = params.process_id;
  if (params.resumed) services_.stats().count(Count::resumed);
  lsp::InitializeResult result;
  result.capabilities.position_encoding = lsp::choose_position_encoding(params.capabilities);
  result.capabilities.commands = {Offers::kAccepted, NextEdits::kAccepted, NextEdits::kRejected};
  result.capabilities.commands.insert(result.capabilities.commands.end(), kEditCommands.begin(), kEditCommands.end());
  if (capabilities_.code_action_literals)
    result.capabilities.code_action_kinds.assign(kEditKinds.begin(), kEditKinds.end());
  result.server = {"cinnabar", std::string(kVersion)};
  state_.documents = DocumentStore(result.capabilities.position_encoding);
  take_settings(nullptr);
  result.capabilities.notebooks = true;
  result.capabilities.completion = announced_menu_ = announced_menu_at_once_ = options_.editor.menu;
  return result;
}

void Session::initialized() {
  is_initialized_ = true;
  if (capabilities_.did_change_configuration_registration) {
    dispatcher_.call(lsp::kRegisterCapability, {"configuration", "workspace/didChangeConfiguration", nullptr},
                     std::function<void(lsp::Expected<lsp::Nothing>)>([](const auto&) {}));
  }
  if (capabilities_.configuration)
    pull_settings();
  else
    choose_model();
  show_progress(model_);
  show_status();
}

void Session::changed(const lsp::DidChangeParams& params) {
  const auto change = state_.documents.change(params);
  if (!change) return tell(change.status());
  edits_->changed(*change);
  next_edits_->changed(*change);
  if (change->before->revision() == 0) show_status();  // it is known again
  if (exclusion_reason(*change->after).empty()) completer_->changed(*change, options_);
}

void Session::closed(const std::string& named) {
  const auto document = state_.documents.find(named);
  const std::string uri = document ? document->uri() : named;  // as it was opened
  forget(uri);
  reasons_.erase(uri);
  tell(state_.documents.close(uri));
}

// A notification did not get through. What it may have said of a document's text is missing from then on.
void Session::lost(std::string_view method, const lsp::Json& params) {
  const bool one = method == lsp::kDidChange.name || method == lsp::kDidOpen.name;
  if (!one && method != lsp::kDidChangeNotebook.name && !method.empty()) return;
  const std::string uri = one ? uri_in(params) : std::string();
  if (const auto document = state_.documents.find(uri)) return lose(document->uri());
  if (one && method == lsp::kDidOpen.name) return;
  for (const auto& open : state_.documents.all()) lose(open->uri());
}

void Session::lose(const std::string& uri) {
  forget(uri);
  state_.documents.lose(uri);
  show_status();
}

// All that goes on about the document, and is kept for it.
void Session::forget(const std::string& uri) {
  edits_->closed(uri);
  next_edits_->closed(uri);
  completer_->closed(uri);
}

void Session::opened(const lsp::TextDocumentItem& text) {
  if (const auto before = state_.documents.find(text.uri)) forget(before->uri());  // the client's word is newer
  const auto document = state_.documents.open(text);
  if (!document) return tell(document.status());
  reasons_.erase((*document)->uri());
  focus_ = (*document)->uri();
  if (exclusion_reason(**document).empty()) completer_->focused(*document, options_);
  show_status();
}

void Session::focused(const lsp::DidFocusParams& params) {
  focus_ = params.uri.value_or("");
  const auto document = state_.documents.find(focus_);
  if (document && exclusion_reason(*document).empty()) completer_->focused(document, options_);
  show_status();
}

void Session::complete(const lsp::InlineCompletionParams& params, Completer::ItemsReply reply) {
  completer_->drop_cancelled();
  const auto document = state_.documents.find(params.text_document.uri);
  if (document || state_.documents.is_lost(params.text_document.uri)) focus_ = params.text_document.uri;
  show_status();
  if (!document || !exclusion_reason(*document).empty()) return Completer::answer_empty(reply);
  lsp::InlineCompletionParams spelled = params;
  spelled.text_document.uri = document->uri();
  completer_->complete(document, spelled, options_, std::move(reply));
}

void Session::complete_menu(const lsp::CompletionParams& params, Completer::ItemsReply reply) {
  if (!options_.editor.menu) return Completer::answer_empty(reply);
  lsp::InlineCompletionParams same;
  same.text_document = params.text_document;
  same.position = params.position;
  if (params.trigger == lsp::CompletionTrigger::invoked) same.trigger = lsp::TriggerKind::invoked;
  complete(same, std::move(reply));
}

// Fails for documents that are left alone.
lsp::Expected<SnapshotPtr> Session::open_document(const std::string& uri) {
  auto document = state_.documents.find(uri);
  if (!document) return lsp::ResponseError{lsp::ErrorCode::request_failed, "the document is not open: " + uri};
  const std::string& reason = exclusion_reason(*document);
  if (!reason.empty()) return lsp::ResponseError{lsp::ErrorCode::request_failed, reason};
  return document;
}

void Session::execute(const lsp::ExecuteCommandParams& params, lsp::Reply<lsp::Json> reply) {
  if (std::find(kEditCommands.begin(), kEditCommands.end(), params.command) != kEditCommands.end()) {
    edits_->drop_cancelled();
    return edits_->execute(params.command, params.arguments, options_, capabilities_, std::move(reply));
  }
  if (next_edits_->execute(params.command, params.arguments)) return reply.result(nullptr);
  if (params.command != Offers::kAccepted)
    return reply.error(lsp::ErrorCode::invalid_params, "params.command: there is no command '" + params.command + "'");
  completer_->accepted(params.arguments, options_);  // one that is no longer known needs nothing
  reply.result(nullptr);
}

void Session::pull_settings() {
  dispatcher_.call(lsp::kConfiguration, {{{std::nullopt, "cinnabar"}}},
                   std::function<void(lsp::Expected<std::vector<lsp::Json>>)>([this](auto values) {
                     if (values.ok() && !values->empty()) return take_settings(values->front());
                     if (!values.ok()) log("workspace/configuration: " + values.error().message);
                     choose_model();
                   }));
}

// Each time from the start: what is no longer said has its default again.
void Session::take_settings(const lsp::Json& settings) {
  Options options = services_.defaults();
  auto problems = apply_settings(initialization_options_, options);
  for (auto& problem : apply_settings(settings, options)) problems.push_back(std::move(problem));
  options_ = std::move(options);
  completer_->settings_changed();
  completer_->set_workspace(folders_, options_);
  for (const auto& problem : problems) log(problem);
  log_useless();
  choose_model();
  announce_menu();
  reasons_.clear();
  if (model_.kind == engine::ModelState::Kind::failed) services_.runner().load();
  show_status();
}

// Settings that the model which answers cannot use.
void Session::log_useless() {
  const auto& way = model_.ways[static_cast<std::size_t>(options_.request.defaults.mode)];
  if (model_.kind != engine::ModelState::Kind::ready || !way) return;
  for (const Option* option : options_in(kEngineGroups)) {
    const std::string why = options_.said.contains(option->name) ? why_useless(*option, *way) : "";
    if (!why.empty()) log("cinnabar." + json_key(*option) + " is not used: it " + why);
  }
}

// Once the client is there for good: a session that only asks for the status has no wish.
void Session::choose_model() {
  if (!is_initialized_) return;
  services_.choose_model(client_, options_.model);
  if (const std::string refusal = services_.model_refusal(client_); !refusal.empty()) log(refusal);
}

// The pop-up menu's requests, when the settings come to ask for them or no longer do.
void Session::announce_menu() {
  if (!is_initialized_ || announced_menu_at_once_ || announced_menu_ == options_.editor.menu) return;
  announced_menu_ = options_.editor.menu;
  const std::function<void(lsp::Expected<lsp::Nothing>)> done = [](const auto&) {};
  const std::string id = "completion", method(lsp::kCompletion.name);
  if (!capabilities_.completion_registration) {
    if (announced_menu_) log("cinnabar.completion: this editor has to be told in initializationOptions");
  } else if (announced_menu_) {
    lsp::Json options = lsp::completion_options();
    options["documentSelector"] = nullptr;
    dispatcher_.call(lsp::kRegisterCapability, {id, method, std::move(options)}, done);
  } else {
    dispatcher_.call(lsp::kUnregisterCapability, {id, method}, done);
  }
}

const std::string& Session::exclusion_reason(const DocumentSnapshot& document) {
  const auto now = std::chrono::steady_clock::now();
  const auto [reason, is_new] = reasons_.try_emplace(document.uri());
  if (is_new || now - reason->second.found > kReasonHolds) {
    reason->second = {
        daemon::exclusion_reason(document.uri(), document.language_id(),
                                 {options_.editor.enabled, options_.editor.languages, options_.editor.exclude},
                                 folders_, ignores_),
        now};
  }
  return reason->second.text;
}

void Session::model_changed(const engine::ModelState& state) {
  const std::lock_guard lock(mutex_);
  if (!completer_) return;  // the client left after the server had begun to tell all of its clients
  model_ = state;
  if (state.kind == engine::ModelState::Kind::ready) {
    const std::string before = std::exchange(answering_, state.text);
    if (completer_ && !before.empty() && before != state.text) completer_->settings_changed();
  }
  if (!is_initialized_) return;
  show_progress(state);
  show_status();
  if (state.kind == engine::ModelState::Kind::ready) {
    told_failure_.clear();
    log_useless();
  }
  // A load that fails is tried again with every document; one message is enough, the status goes on to say it.
  if (state.kind != engine::ModelState::Kind::failed || state.text == told_failure_) return;
  told_failure_ = state.text;
  dispatcher_.notify(lsp::kShowMessage, {lsp::MessageType::error, "Cinnabar: " + state.text});
}

// didChangeStatus, when it says something new.
void Session::show_status() {
  if (!is_initialized_) return;
  using Kind = lsp::StatusParams::Kind;
  lsp::StatusParams status;
  const auto document = state_.documents.find(focus_);
  const std::string reason = document ? exclusion_reason(*document) : std::string();
  if (model_.kind == engine::ModelState::Kind::failed)
    status = {false, Kind::error, model_.text};
  else if (state_.documents.is_lost(focus_))
    status = {false, Kind::warning, "a change of this document could not be read: close it and open it again"};
  else if (!reason.empty())
    status = {false, Kind::inactive, reason};
  else if (model_.kind == engine::ModelState::Kind::loading)
    status = {true, Kind::normal, "loading the model"};
  else if (const std::string refusal = services_.model_refusal(client_); !refusal.empty())
    status = {false, Kind::warning, refusal};
  else if (const auto late = completer_->late(); late.count() > 0)
    status = {false, Kind::warning, late_text(late)};
  else
    status = {false, Kind::normal, model_.text};
  if (same(status, last_status_)) return;
  last_status_ = status;
  dispatcher_.notify(lsp::kDidChangeStatus, status);
}

// The model's load as work-done progress, for clients that show it.
void Session::show_progress(const engine::ModelState& state) {
  if (!capabilities_.work_done_progress) return;
  if (state.kind == engine::ModelState::Kind::loading) {
    const lsp::RequestId token = "cinnabar/load/" + std::to_string(++loads_);
    dispatcher_.call(lsp::kCreateProgress, {token},
                     std::function<void(lsp::Expected<lsp::Nothing>)>([this, token, load = loads_](const auto& made) {
                       if (!made.ok() || load != loads_ || model_.kind != engine::ModelState::Kind::loading) return;
                       progress_ = token;
                       dispatcher_.notify(lsp::kProgress, {token, lsp::WorkDoneProgress::Kind::begin,
                                                           "Cinnabar: loading the model", "", std::nullopt, false});
                     }));
  } else if (const auto token = std::exchange(progress_, std::nullopt)) {
    dispatcher_.notify(lsp::kProgress, {*token, lsp::WorkDoneProgress::Kind::end, "", state.text, std::nullopt, false});
  }
}

void Session::tell(const Status& status) {
  if (!status.ok()) log(status.message());
}

void Session::log(const std::string& text) { dispatcher_.notify(lsp::kLogMessage, {lsp::MessageType::warning, text}); }

}  // namespace cinnabar::daemon
