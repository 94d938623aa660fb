// cinnabar.rewrite of one client: a region of a document rewritten by an instruction, sent as one versioned edit that
// holds only what changes. What is asked and which answer is taken: daemon/editing/rewrite.h.
//
// Under its session's lock: called by the session, and by the runner's thread through its ClientJobs.
//
// A work is live from execute() until its one reply:
//   live --> sent       the edit goes to the client; {"applied"} is what the client says
//        --> failed     why, in one sentence: the model failed, would change nothing, or would break the file
//        --> stale      the document has changed or closed: ContentModified at once
//        --> cancelled  by the client; the model's work ends at its next step
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "daemon/editing/rewrite.h"
#include "daemon/server/client_jobs.h"
#include "daemon/server/client_state.h"
#include "daemon/server/services.h"
#include "lsp/dispatcher.h"
#include "lsp/lifecycle.h"
#include "lsp/position.h"

namespace cinnabar::daemon {

// The command's one argument.
struct RewriteAsked {
  std::string uri;
  std::optional<std::int32_t> version;  // another one is an error
  lsp::Range range;                     // widened to whole lines
  std::string instruction;
};
bool from_json(const lsp::Field& at, RewriteAsked& out);

class Rewrites {
 public:
  using Lookup = std::function<lsp::Expected<SnapshotPtr>(const std::string& uri)>;
  inline static const std::string kCommand = "cinnabar.rewrite";

  // Borrows all of them.
  Rewrites(Services& services, ClientState& state, ClientJobs& jobs, lsp::Dispatcher& dispatcher, Lookup lookup);

  void execute(const lsp::Json& arguments, const Options& options, const lsp::ClientCapabilities& client,
               lsp::Reply<lsp::Json> reply);
  void drop_cancelled();
  void changed(const std::string& uri);
  void closed(const std::string& uri) { changed(uri); }

 private:
  struct Rewriting {
    SnapshotPtr document;
    std::size_t begin = 0, end = 0;  // the region's bytes
    std::unique_ptr<RewriteMachine> machine;
    std::chrono::milliseconds deadline;
    lsp::Reply<lsp::Json> reply;
    engine::JobId job = 0;
  };
  using Rewritings = std::map<std::uint64_t, Rewriting>;

  void ask(std::uint64_t id);
  void answered(std::uint64_t id, engine::JobId job, const engine::Outcome& outcome);
  void finish(Rewritings::iterator work);

  Services& services_;
  ClientState& state_;
  ClientJobs& jobs_;
  lsp::Dispatcher& dispatcher_;
  const Lookup lookup_;
  Rewritings works_;
  std::uint64_t last_work_ = 0;
};

}  // namespace cinnabar::daemon
