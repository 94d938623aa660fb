// The next-edit suggestions of one client: what has been done to its documents, the suggestion under way, what was
// offered and what became of it. Deciding is pure (daemon/editing).
//
// A request is answered once: with edits, or with none when it is superseded by the next one of its document, when the
// document changes meanwhile, when nothing is likely enough, or when the client rejected the same before. It is never
// answered with an error: clients show those to the user at every pause.
//
// Under its session's lock: called by the session, and by the runner's thread through its ClientJobs.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "daemon/editing/next_edit_machine.h"
#include "daemon/editing/rewrite.h"
#include "daemon/server/client_jobs.h"
#include "daemon/server/client_state.h"
#include "daemon/server/services.h"
#include "lsp/inline_completion.h"
#include "lsp/reply.h"

namespace cinnabar::daemon {

class NextEdits {
 public:
  using EditsReply = lsp::Reply<lsp::NextEditList>;
  inline static const std::string kAccepted = "cinnabar.nextEditAccepted";  // the command an edit carries
  inline static const std::string kRejected = "cinnabar.nextEditRejected";  // the same arguments: never offered again

  // Borrows all of them.
  NextEdits(Services& services, ClientState& state, ClientJobs& jobs);

  void ask(const SnapshotPtr& document, const lsp::TextDocumentPosition& params, const Options& options,
           EditsReply reply);
  void drop_cancelled();
  void changed(const AppliedChange& change);
  void closed(const std::string& uri);

  // The lines of a document that the user changed last, before and after; none where lines were only added or taken away.
  std::optional<RewriteExample> last_edit(const std::string& uri) const;

  void shown(const lsp::DidShowInlineEditParams& params);
  // False: no such command of ours.
  bool execute(const std::string& command, const lsp::Json& arguments);

 private:
  struct Asking {
    SnapshotPtr document;
    EditsReply reply;
    std::unique_ptr<NextEditMachine> machine;
    engine::JobId job = 0;
  };
  struct Suggestion {
    std::uint64_t id = 0;
    std::string uri, replaced, text, line;  // line: the one it begins in, as it was
    bool shown = false;
    int times = 1;  // offered and not taken
  };

  void answer(Asking asking, const std::vector<EditCandidate>& edits);
  void submit(const std::string& uri);
  void finished(const std::string& uri, engine::JobId job, const engine::Outcome& outcome);
  void supersede(const std::string& uri);
  std::uint64_t make_offer(const SnapshotPtr& document, const EditCandidate& candidate);
  Suggestion* offer(const lsp::Json& arguments);
  bool is_refused(const SnapshotPtr& document, const EditCandidate& candidate) const;

  Services& services_;
  ClientState& state_;
  ClientJobs& jobs_;
  std::unordered_map<std::string, EditHistory> histories_;  // by uri
  std::map<std::string, Asking> asking_;                    // the same
  std::deque<Suggestion> offers_;                           // newest first
  std::deque<Suggestion> refused_;                          // the same
  std::uint64_t last_offer_ = 0;
};

}  // namespace cinnabar::daemon
