// One client's side of the conversation: lifecycle, documents, configuration, status. Completions are the completer's.
//
// receive() and the questions: one thread. model_changed(): the runner's thread. One lock orders the two.
//
//   created --initialize--> known --initialized--> live --shutdown--> shut down --exit, end of input, end()--> gone
//
// Only a live session chooses a model and shows status. Each message takes the lock once, in receive(): it changes the
// state (ClientState), then tells the completer and the edit actions, which borrow it. A job's end takes the lock by the
// Guard and finds the session live, or gone: then nothing is called. end() cancels all jobs first, so that afterwards at most
// a guard that is waiting for the lock comes, and finds the completer gone.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "daemon/server/client_jobs.h"
#include "daemon/server/client_state.h"
#include "daemon/server/completer.h"
#include "daemon/server/edit_actions.h"
#include "daemon/server/next_edits.h"
#include "daemon/server/services.h"
#include "daemon/workspace/ignore_files.h"
#include "lsp/command.h"
#include "lsp/completion.h"
#include "lsp/dispatcher.h"
#include "lsp/inline_completion.h"
#include "lsp/lifecycle.h"
#include "lsp/window.h"
#include "lsp/workspace.h"

namespace cinnabar::daemon {

inline constexpr lsp::RequestMethod<lsp::Nothing, lsp::Json> kStatus{"cinnabar/status"};

class Session : public std::enable_shared_from_this<Session> {
 public:
  static std::shared_ptr<Session> create(Services& services, engine::ClientId client,
                                         std::shared_ptr<lsp::Transport> out);

  void receive(std::string_view bytes);
  // The same in steps: takes the bytes; does some of what they ask for, and returns whether there is more.
  void arrive(std::string_view bytes);
  bool turn();
  bool closed() const;
  std::optional<int> exit_code() const;
  std::size_t requests_in_flight() const;
  std::optional<std::int32_t> editor_process() const;  // which initialize has named
  // Stops all work for this client.
  void end();

  void model_changed(const engine::ModelState& state);

 private:
  Session(Services& services, engine::ClientId client, std::shared_ptr<lsp::Transport> out);
  void register_lifecycle();
  void register_documents();
  void register_completions();
  void register_edits();
  void register_configuration();

  lsp::InitializeResult initialize(const lsp::InitializeParams& params);
  void initialized();
  void register_notebooks();
  void opened(const lsp::TextDocumentItem& text);
  void changed(const lsp::DidChangeParams& params);
  void closed(const std::string& uri);
  void lost(std::string_view method, const lsp::Json& params);
  void lose(const std::string& uri);
  void forget(const std::string& uri);
  void focused(const lsp::DidFocusParams& params);
  void complete(const lsp::InlineCompletionParams& params, Completer::ItemsReply reply);
  void complete_menu(const lsp::CompletionParams& params, Completer::ItemsReply reply);
  void execute(const lsp::ExecuteCommandParams& params, lsp::Reply<lsp::Json> reply);
  lsp::Expected<SnapshotPtr> open_document(const std::string& uri);

  void pull_settings();
  void take_settings(const lsp::Json& settings);
  void choose_model();
  void announce_menu();
  const std::string& exclusion_reason(const DocumentSnapshot& document);
  void show_status();
  void show_progress(const engine::ModelState& state);
  void log_useless();
  void tell(const Status& status);
  void log(const std::string& text);

  Services& services_;
  const engine::ClientId client_;
  mutable std::mutex mutex_;
  lsp::ClientCapabilities capabilities_;
  lsp::Json initialization_options_;
  std::optional<std::int32_t> editor_process_;
  std::vector<std::string> folders_;  // paths
  Options options_;
  ClientState state_;
  struct Reason {
    std::string text;  // empty: it is completed
    std::chrono::steady_clock::time_point found;
  };
  std::unordered_map<std::string, Reason> reasons_;  // by uri, for open documents
  IgnoreFiles ignores_;
  std::string focus_;  // uri of the document the user works in, as far as we know
  engine::ModelState model_;
  std::string answering_;     // the model that was ready last, in its own words
  std::string told_failure_;  // the failure to load that the user was told last
  lsp::StatusParams last_status_;
  bool is_initialized_ = false;
  bool announced_menu_ = false;             // the client knows that it may ask for textDocument/completion
  bool announced_menu_at_once_ = false;     // ... since initialize, which cannot be taken back
  std::uint64_t loads_ = 0;                 // progresses begun or asked for, numbers their tokens
  std::optional<lsp::RequestId> progress_;  // of the load under way, once the client knows it
  lsp::Dispatcher dispatcher_;
  std::unique_ptr<ClientJobs> jobs_;      // outlives those who have jobs
  std::unique_ptr<Completer> completer_;  // its replies go before the dispatcher
  std::unique_ptr<NextEdits> next_edits_;
  std::unique_ptr<EditActions> edits_;  // the same
};

}  // namespace cinnabar::daemon
