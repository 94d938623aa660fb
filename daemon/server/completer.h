// The inline completions of one client: which request is alive, what the model works on for it, what is shown and what
// is kept. What the model is asked and what is made of its answers: daemon/completion/.
//
// Under its session's lock: called by the session, and by the runner's thread through the `Guard`.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>

#include "daemon/completion/answer.h"
#include "daemon/server/answer_cache.h"
#include "daemon/server/prompt_pace.h"
#include "daemon/server/services.h"
#include "daemon/workspace/context/index.h"
#include "daemon/workspace/documents/notebooks.h"
#include "daemon/workspace/documents/region.h"
#include "daemon/workspace/documents/store.h"
#include "lsp/completion.h"
#include "lsp/inline_completion.h"
#include "lsp/reply.h"

namespace cinnabar::daemon {

// Runs a function under the session's lock, if the session still is there.
using Guard = std::function<void(const std::function<void()>&)>;

class Completer {
 public:
  // As inline completion, or for the pop-up menu: the answer goes the way it was asked for.
  using ItemsReply = std::variant<lsp::Reply<lsp::InlineCompletionList>, lsp::Reply<lsp::CompletionList>>;
  static void answer_empty(ItemsReply& reply);
  inline static const std::string kAccepted = "cinnabar.accepted";  // the command an item carries

  // `documents` and `notebooks` are borrowed and tell what is current when an answer arrives, and what stands above a
  // cell.
  Completer(Services& services, engine::ClientId client, const DocumentStore& documents, const Notebooks& notebooks,
            Guard guard);

  // Answers now or later, once. A request of a document replaces the one before that was asked the same way; that one
  // gets an empty list at once.
  void complete(const SnapshotPtr& document, const lsp::InlineCompletionParams& params, const Options& options,
                ItemsReply reply);
  // Answers what the client has cancelled, and stops the work on it.
  void drop_cancelled();

  void changed(const AppliedChange& change, const Options& options);
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
  syntax::Trees& trees() { return trees_; }

  // How long the last answer had taken when its time was up and there was nothing to show of it; 0: it was in time.
  std::chrono::milliseconds late() const { return late_; }

 private:
  using Clock = std::chrono::steady_clock;

  // Where an answer is wanted: in the client's document, or in what it becomes with the menu's selected entry.
  struct Place {
    SnapshotPtr document;
    std::size_t offset = 0;
    std::optional<lsp::SelectedCompletion> selected;
  };
  struct Live {
    engine::JobId job = 0;
    SnapshotPtr document;  // the client's when it asked
    Place place;
    ItemsReply reply;
    Options options;
    int asked = 1;
    Clock::time_point since;
    engine::Priority priority = engine::Priority::typing;
    std::unique_ptr<AnswerMachine> machine = {};
  };
  using LiveKey = std::pair<std::string, std::size_t>;  // uri, and which way it was asked
  struct Offer {
    std::uint64_t id = 0;
    Place place;
    std::string text;
    bool shown = false, partly = false, accepted = false;
  };

  Place place_of(const SnapshotPtr& document, const lsp::InlineCompletionParams& params) const;
  bool is_invoked(const lsp::InlineCompletionParams& params);
  void supersede(const LiveKey& key);
  void stop(const Live& live);
  void submit(Live live);
  std::chrono::milliseconds time_left(const Live& live) const;
  void finished(engine::JobId job, engine::Outcome outcome);
  bool is_stale(const Live& live) const;
  void reply_with(ItemsReply& reply, const Place& place, const std::vector<AnswerCache::Rest>& rests);
  lsp::InlineCompletionItem item_for(const Place& place, const AnswerCache::Rest& rest);
  lsp::Command make_offer(const Place& place, const std::string& text);
  Offer* offer(const lsp::Json& arguments);

  void warm(const SnapshotPtr& document, std::size_t offset, const Options& options);
  void prefetch(const Place& place, const std::string& text, const Options& options);
  void prefetched(engine::JobId job, const Place& place, AnswerMachine& machine, engine::Outcome outcome);
  std::vector<std::string> keep(const Place& place, Answered answered, int asked);
  syntax::SitePtr site_at(const SnapshotPtr& document, std::size_t offset);
  std::function<void(const engine::Outcome&)> recording(const Place& place, const engine::Job& job,
                                                        const Options& options);
  Ask ask_at(const SnapshotPtr& document, std::size_t offset, const Options& options);

  Services& services_;
  const engine::ClientId client_;
  const DocumentStore& documents_;
  const Notebooks& notebooks_;
  const Guard guard_;
  std::map<LiveKey, Live> live_;
  std::unordered_map<std::string, engine::JobId> warming_, prefetching_;
  std::unordered_map<std::string, std::size_t> cursors_;  // byte offset of the last known one
  std::unordered_map<std::string, Clock::time_point> last_changes_;
  syntax::Trees trees_;
  syntax::SitePtr site_;  // of the last request, and where it is
  std::size_t site_offset_ = 0;
  context::Index context_;
  std::string workspace_;  // what context_ was set to, in words
  AnswerCache answers_;
  AnswerCache unfinished_;    // beginnings of answers that were stopped: drafts only
  std::deque<Offer> offers_;  // newest first
  std::uint64_t last_offer_ = 0;
  bool zero_based_triggers_ = false;
  PromptPace pace_;
  std::chrono::milliseconds late_{0};
  std::optional<IndentStyle> formatting_;  // what the editor said last
};

}  // namespace cinnabar::daemon
