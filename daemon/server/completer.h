// The inline completions of one client: which request is alive, what the model works on for it, what is shown and what
// is kept. What the model is asked and what is made of its answers: daemon/completion/.
//
// Under its session's lock: called by the session, and by the runner's thread through ClientJobs.
//
// A request is live from complete() until its reply, which is given exactly once:
//
//   live --> answered    finished(): the model's answer, after repairs (each is a job of its own), or an error
//        --> superseded  supersede(): a newer request of the document, asked the same way; an empty list at once
//        --> cancelled   drop_cancelled(): by the client; RequestCancelled at once
//        --> stale       finished(): the document is another one by now; an empty list, the answer is kept
//
// An answer that arrives for a request that is no longer live changes nothing. What was stopped is a draft for the next
// request there.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>

#include "daemon/completion/answer.h"
#include "daemon/server/answer_cache.h"
#include "daemon/server/client_jobs.h"
#include "daemon/server/client_state.h"
#include "daemon/server/offers.h"
#include "daemon/server/prompt_pace.h"
#include "daemon/server/services.h"
#include "daemon/server/target.h"
#include "daemon/workspace/documents/region.h"
#include "lsp/completion.h"
#include "lsp/inline_completion.h"
#include "lsp/reply.h"

namespace cinnabar::daemon {

class Completer {
 public:
  // As inline completion, or for the pop-up menu: the answer goes the way it was asked for.
  using ItemsReply = std::variant<lsp::Reply<lsp::InlineCompletionList>, lsp::Reply<lsp::CompletionList>>;
  static void answer_empty(ItemsReply& reply);

  // Borrows all of them. The state's documents tell what is current when an answer arrives.
  Completer(Services& services, ClientState& state, ClientJobs& jobs);

  // Answers now or later, once. A request of a document replaces the one before that was asked the same way; that one
  // gets an empty list at once.
  void complete(const SnapshotPtr& document, const lsp::InlineCompletionParams& params, const Options& options,
                ItemsReply reply);
  // Answers what the client has cancelled, and stops the work on it.
  void drop_cancelled();

  // Requests for the text before are answered with nothing; their answers are kept when they come.
  void changed(const AppliedChange& change, const Options& options);
  // Settings, or the model, are others now: what was answered before is not what would be answered now.
  void settings_changed() { ++settings_; }
  // Reads the prompt in advance where the cursor was last.
  void focused(const SnapshotPtr& document, const Options& options);
  void closed(const std::string& uri);
  void saved(const std::string& uri);
  // The folders whose files may be read, and which of those, where `options` want any read.
  void set_workspace(const std::vector<std::string>& folders, const Options& options);

  void shown(const lsp::InlineCompletionItem& item);
  void partly_accepted(const lsp::InlineCompletionItem& item);
  // False: no item of ours was sent with these arguments.
  bool accepted(const lsp::Json& arguments, const Options& options);

  std::size_t live() const { return live_.size(); }

  // How long the last answer had taken when its time was up and there was nothing to show of it; 0: it was in time.
  std::chrono::milliseconds late() const { return late_; }

 private:
  using Clock = std::chrono::steady_clock;

  struct Live {
    engine::JobId job = 0;
    SnapshotPtr document;  // the client's when it asked
    Target place;
    ItemsReply reply;
    Options options;
    int asked = 1;
    Clock::time_point since;
    engine::Priority priority = engine::Priority::typing;
    std::unique_ptr<AnswerMachine> machine = {};
    bool answered = false;  // it is stale; only what the model makes of it is of use
  };
  using LiveKey = std::pair<std::string, std::size_t>;  // uri, and which way it was asked
  Target target_of(const SnapshotPtr& document, const lsp::InlineCompletionParams& params) const;
  AnswerCache::Basis basis_of(const DocumentSnapshot& document) const;
  void answer_stale(const std::string& uri);
  bool is_invoked(const lsp::InlineCompletionParams& params);
  void supersede(const LiveKey& key);
  void stop(const Live& live);
  void submit(Live live);
  std::chrono::milliseconds time_left(const Live& live) const;
  void finished(engine::JobId job, engine::Outcome outcome);
  bool is_stale(const Live& live) const;
  void reply_with(ItemsReply& reply, const Target& place, const std::vector<AnswerCache::Rest>& rests);
  lsp::InlineCompletionItem item_for(const Target& place, const AnswerCache::Rest& rest);

  void warm(const SnapshotPtr& document, std::size_t offset, const Options& options);
  void prefetch(const Target& place, const std::string& text, const Options& options);
  void prefetched(engine::JobId job, const Target& place, AnswerMachine& machine, engine::Outcome outcome);
  std::vector<std::string> keep(const Target& place, Answered answered, int asked);
  syntax::ParseRegionPtr region_at(const SnapshotPtr& document, std::size_t offset);
  ClientJobs::Observer recording(const Target& place, const engine::Job& job, const Options& options);
  Ask ask_at(const SnapshotPtr& document, std::size_t offset, const Options& options);

  Services& services_;
  ClientState& state_;
  ClientJobs& jobs_;
  std::map<LiveKey, Live> live_;
  std::unordered_map<std::string, engine::JobId> warming_, prefetching_;
  std::unordered_map<std::string, std::size_t> cursors_;  // byte offset of the last known one
  std::unordered_map<std::string, Clock::time_point> last_changes_;
  syntax::ParseRegionPtr region_;  // of the last request, and where it is
  std::size_t site_offset_ = 0;
  std::string workspace_;  // what the index was set to, in words
  AnswerCache answers_;
  AnswerCache unfinished_;  // beginnings of answers that were stopped: drafts only
  Offers offers_;
  std::uint64_t settings_ = 0;  // how often settings or model have changed
  bool zero_based_triggers_ = false;
  PromptPace pace_;
  std::chrono::milliseconds late_{0};
  std::optional<IndentStyle> formatting_;  // what the editor said last
};

}  // namespace cinnabar::daemon
