// The code actions and commands of one client that the model works on: what is offered at a place, the work under way,
// and the one versioned workspace edit that comes of it. Which edits there are: edits.h; how one is made: daemon/editing.
//
// Under its session's lock: called by the session, and by the runner's thread through ClientJobs.
//
// A work is live from resolve() or execute() until its `done`, which is called exactly once. It asks the model for one
// thing after another, each a job. A change of the document beside what the edit stands on moves it along:
//
//   live --> made       finish(): the machine is done, and something fits
//        --> failed     fail(): the model failed, or nothing fits
//        --> stale      the document has changed where the edit stands, or closed; ContentModified at once
//        --> cancelled  drop_cancelled(), progress_cancelled(): by the client
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <vector>

#include "daemon/server/client_jobs.h"
#include "daemon/server/client_state.h"
#include "daemon/server/edits.h"
#include "daemon/server/services.h"
#include "lsp/code_action.h"
#include "lsp/dispatcher.h"
#include "lsp/lifecycle.h"
#include "lsp/window.h"

namespace cinnabar::daemon {

class EditActions {
 public:
  // The document of a uri, or why it is left alone.
  using Lookup = std::function<lsp::Expected<SnapshotPtr>(const std::string& uri)>;

  // Borrows all of them.
  EditActions(Services& services, ClientState& state, ClientJobs& jobs, lsp::Dispatcher& dispatcher, Lookup lookup);

  // What can be done at a place; runs no model. The edit comes with `resolve`, or for clients that cannot resolve, with
  // a command. `last`: what the user changed last in the document.
  std::vector<lsp::CodeAction> offered(const lsp::CodeActionParams& params, const lsp::ClientCapabilities& client,
                                       const std::optional<RewriteExample>& last);
  void resolve(lsp::CodeAction action, const Options& options, const lsp::ClientCapabilities& client,
               lsp::Reply<lsp::CodeAction> reply);
  // Sends the edit to the client (workspace/applyEdit), then answers {"applied"}, which is what the client says; of a
  // filling "holes" and "filled", too. `command` is one of kEditCommands.
  void execute(std::string_view command, const lsp::Json& arguments, const Options& options,
               const lsp::ClientCapabilities& client, lsp::Reply<lsp::Json> reply);

  void drop_cancelled();
  void progress_cancelled(const lsp::ProgressToken& token);
  // Work on what has changed is over: ContentModified.
  void changed(const AppliedChange& change);
  void closed(const std::string& uri);

 private:
  struct Made {
    lsp::WorkspaceEdit edit;
    std::string text;  // the document with it
    EditTally tally;
  };
  using Done = std::function<void(lsp::Expected<Made>)>;
  struct Work {
    EditAsked asked;
    SnapshotPtr document;      // as it is now
    syntax::Span stands;       // on these bytes of it
    std::ptrdiff_t moved = 0;  // from where they were when the machine was made
    std::unique_ptr<EditMachine> machine;
    engine::JobId job = 0;
    std::stop_token cancelled;
    Done done;
    std::optional<lsp::ProgressToken> progress = {};  // once the client shows it
    std::chrono::milliseconds deadline{0};            // of each request
    bool out_of_time = false;                         // an answer of the model was cut off
  };
  using Works = std::map<std::uint64_t, Work>;

  std::optional<lsp::ResponseError> start(EditAsked asked, const Options& options,
                                          const lsp::ClientCapabilities& client, std::stop_token cancelled, Done done);
  void ask(std::uint64_t id);
  void answered(std::uint64_t id, engine::JobId job, const engine::Outcome& outcome);
  void finish(Works::iterator work);
  void fail(Works::iterator work, lsp::ErrorCode code, std::string why);
  Work take_out(Works::iterator work, const std::string& last_word);
  void abandon(Works::iterator work);
  void show_progress(std::uint64_t id);
  void send(const EditAsked& asked, const Made& made, const std::shared_ptr<lsp::Reply<lsp::Json>>& reply);

  Services& services_;
  ClientState& state_;
  ClientJobs& jobs_;
  lsp::Dispatcher& dispatcher_;
  const Lookup lookup_;
  Works works_;  // by number
  std::uint64_t last_work_ = 0;
  std::unordered_map<std::string, std::string> sent_;           // by uri: the text that an edit of ours makes of it
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for answers of the client's that come later
};

}  // namespace cinnabar::daemon
