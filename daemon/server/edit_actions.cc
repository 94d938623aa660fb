#include "daemon/server/edit_actions.h"

#include <algorithm>
#include <utility>

#include "daemon/editing/minimal_edit.h"

namespace cinnabar::daemon {
namespace {

using lsp::ErrorCode;

constexpr std::chrono::milliseconds kDeadline{60'000};  // the user waits, and may cancel
constexpr std::size_t kWorks = 8;                       // of one client

std::string in_words(std::chrono::milliseconds time) {
  const bool seconds = time.count() % 1000 == 0;
  return std::to_string(seconds ? time.count() / 1000 : time.count()) + (seconds ? " s" : " ms");
}

syntax::Span moved(syntax::Span span, std::ptrdiff_t by) {
  return {static_cast<std::size_t>(static_cast<std::ptrdiff_t>(span.begin) + by),
          static_cast<std::size_t>(static_cast<std::ptrdiff_t>(span.end) + by)};
}

}  // namespace

EditActions::EditActions(Services& services, ClientState& state, ClientJobs& jobs, lsp::Dispatcher& dispatcher,
                         Lookup lookup)
    : services_(services), state_(state), jobs_(jobs), dispatcher_(dispatcher), lookup_(std::move(lookup)) {}

std::vector<lsp::CodeAction> EditActions::offered(const lsp::CodeActionParams& params,
                                                  const lsp::ClientCapabilities& client,
                                                  const std::optional<RewriteExample>& last) {
  std::vector<lsp::CodeAction> actions;
  const bool resolves = client.code_action_resolves_edit && client.code_action_data;
  const auto document = lookup_(params.text_document.uri);
  if (!document.ok() || !client.code_action_literals || !(resolves || client.apply_edit)) return actions;
  const auto parsed = state_.trees.of(*document);
  ActionScene scene;
  scene.document = *document;
  scene.tree = parsed.tree.get();
  scene.encoding = state_.documents.encoding();
  scene.range = params.range;
  scene.begin = (*document)->byte_offset(params.range.start, scene.encoding);
  scene.end = std::max((*document)->byte_offset(params.range.end, scene.encoding), scene.begin);
  scene.invoked = params.trigger == lsp::TriggerKind::invoked;
  scene.diagnostics = params.diagnostics;
  scene.last_edit = last;
  scene.previews = client.confirms_annotated;
  for (EditOffer& offer : offers_at(scene)) {
    if (!is_wanted(offer.kind, params.only)) continue;
    lsp::CodeAction action{.title = offer.asked.title, .kind = offer.kind};
    action.is_generated = client.code_action_tags;
    action.diagnostics = std::move(offer.diagnostics);
    if (resolves) {
      action.data = to_json(offer.asked);
      action.data["command"] = offer.asked.command;
    } else {
      action.command = lsp::Command{action.title, offer.asked.command, lsp::Json::array({to_json(offer.asked)})};
    }
    actions.push_back(std::move(action));
  }
  return actions;
}

void EditActions::resolve(lsp::CodeAction action, const Options& options, const lsp::ClientCapabilities& client,
                          lsp::Reply<lsp::CodeAction> reply) {
  auto asked = read_edit(action.data);
  if (!asked.ok()) return reply.error(asked.error());
  const auto cancelled = reply.cancelled();
  const auto shared = std::make_shared<lsp::Reply<lsp::CodeAction>>(std::move(reply));
  const auto refused = start(std::move(asked).value(), options, client, cancelled,
                             [action = std::move(action), shared](lsp::Expected<Made> made) mutable {
                               if (!made.ok()) return shared->error(made.error());
                               action.edit = std::move(made->edit);
                               shared->result(action);
                             });
  if (refused) shared->error(*refused);
}

void EditActions::execute(std::string_view command, const lsp::Json& arguments, const Options& options,
                          const lsp::ClientCapabilities& client, lsp::Reply<lsp::Json> reply) {
  if (!client.apply_edit)
    return reply.error(ErrorCode::request_failed, "the client does not take edits (workspace.applyEdit)");
  const lsp::Json first = arguments.is_array() && !arguments.empty() ? arguments.front() : lsp::Json();
  const auto asked = read_edit(command, first, "params.arguments[0]");
  if (!asked.ok()) return reply.error(asked.error());
  const auto cancelled = reply.cancelled();
  const auto shared = std::make_shared<lsp::Reply<lsp::Json>>(std::move(reply));
  const auto refused =
      start(*asked, options, client, cancelled, [this, asked = *asked, shared](const lsp::Expected<Made>& made) {
        if (!made.ok()) return shared->error(made.error());
        send(asked, *made, shared);
      });
  if (refused) shared->error(*refused);
}

void EditActions::send(const EditAsked& asked, const Made& made, const std::shared_ptr<lsp::Reply<lsp::Json>>& reply) {
  sent_[made.edit.documents.front().text_document.uri] = made.text;
  lsp::Json result = lsp::Json::object();
  if (asked.command == kCompleteFunction || asked.command == kFillHoles)
    result = {{"holes", made.tally.steps}, {"filled", made.tally.filled}};
  const std::string label = asked.title.empty() ? title_of(asked.command, made.tally.steps) : asked.title;
  dispatcher_.call(lsp::kApplyEdit, {label, made.edit},
                   std::function<void(lsp::Expected<lsp::ApplyEditResult>)>([reply, result](const auto& answer) {
                     if (!answer.ok()) return reply->error(ErrorCode::request_failed, answer.error().message);
                     lsp::Json said = result;
                     said["applied"] = answer->applied;
                     if (!answer->failure_reason.empty()) said["failureReason"] = answer->failure_reason;
                     reply->result(said);
                   }));
}

std::optional<lsp::ResponseError> EditActions::start(EditAsked asked, const Options& options,
                                                     const lsp::ClientCapabilities& client, std::stop_token cancelled,
                                                     Done done) {
  const auto document = lookup_(asked.text_document.uri);
  if (!document.ok()) return document.error();
  const auto wanted = asked.text_document.version;
  if (wanted && *wanted != (*document)->version()) {
    services_.stats().count(Count::stale);
    return lsp::ResponseError{ErrorCode::content_modified, "the document has another version by now"};
  }
  if (works_.size() >= kWorks)
    return lsp::ResponseError{ErrorCode::request_failed, "too many edits are being worked on"};
  const auto parsed = state_.trees.of(*document);
  auto machine = machine_for(asked, **document, parsed.tree.get(), state_.documents.encoding(),
                             {options.request, services_.runner().model().fills_together});
  if (!machine) return lsp::ResponseError{ErrorCode::request_failed, machine.status().message()};
  const std::uint64_t id = ++last_work_;
  Work work;
  work.asked = std::move(asked);
  work.document = *document;
  work.stands = (*machine)->footprint();
  work.machine = std::move(machine).value();
  work.cancelled = std::move(cancelled);
  work.done = std::move(done);
  work.deadline = deadline_of(options.request, kDeadline);
  works_[id] = std::move(work);
  services_.stats().count(Count::edits_asked);
  if (client.work_done_progress) show_progress(id);
  ask(id);
  return std::nullopt;
}

void EditActions::ask(std::uint64_t id) {
  const auto found = works_.find(id);
  Work& work = found->second;
  if (work.machine->request() == nullptr) return finish(found);
  engine::Job job;
  job.priority = work.asked.command == kFillHoles ? engine::Priority::refactor : engine::Priority::invoked;
  job.request = *work.machine->request();
  job.deadline = work.deadline;
  work.job = jobs_.submit(std::move(job), [this, id](engine::JobId number, const engine::Outcome& outcome) {
    answered(id, number, outcome);
  });
}

void EditActions::answered(std::uint64_t id, engine::JobId job, const engine::Outcome& outcome) {
  const auto found = works_.find(id);
  if (found == works_.end() || found->second.job != job) return;
  Work& work = found->second;
  if (!outcome.result) return fail(found, ErrorCode::request_failed, outcome.result.message());
  const std::size_t before = work.machine->tally().seen;
  for (const engine::InfillAnswer& answer : outcome.result->answers)
    work.out_of_time = work.out_of_time || answer.reason == engine::StopReason::deadline;
  work.machine->take(*outcome.result);
  const EditTally tally = work.machine->tally();
  if (work.progress && tally.seen != before && work.machine->request() != nullptr)
    dispatcher_.notify(lsp::kProgress, {*work.progress, lsp::WorkDoneProgress::Kind::report, "",
                                        std::to_string(tally.seen) + " of " + std::to_string(tally.steps),
                                        static_cast<std::uint32_t>(tally.seen * 100 / tally.steps), true});
  ask(id);
}

void EditActions::finish(Works::iterator found) {
  Stats& stats = services_.stats();
  auto changes = found->second.machine->changes();
  if (!changes)
    return fail(found, ErrorCode::request_failed,
                found->second.out_of_time ? "the model was not done after " + in_words(found->second.deadline) +
                                                "; asked again it goes on from what it has read"
                                          : changes.status().message());
  const Work work = take_out(found, "");
  for (TextChange& change : *changes) {
    const syntax::Span place = moved({change.begin, change.end}, work.moved);
    change.begin = place.begin;
    change.end = place.end;
  }
  const EditTally tally = work.machine->tally();
  stats.count(Count::edits_made);
  stats.count(Count::repairs, static_cast<std::uint64_t>(tally.repairs));
  stats.count(Count::repair_forwards, static_cast<std::uint64_t>(tally.repair_forwards));
  stats.count(Count::repaired, static_cast<std::uint64_t>(tally.repaired));
  work.done(Made{workspace_edit(*work.document, *changes, state_.documents.encoding(), work.asked),
                 with_changes(work.document->text(), *changes), tally});
}

void EditActions::fail(Works::iterator found, ErrorCode code, std::string why) {
  const Work work = take_out(found, why);
  work.done(lsp::ResponseError{code, std::move(why)});
}

EditActions::Work EditActions::take_out(Works::iterator found, const std::string& last_word) {
  Work work = std::move(found->second);
  works_.erase(found);
  if (work.progress) {
    dispatcher_.notify(lsp::kProgress, {*work.progress, lsp::WorkDoneProgress::Kind::end, "", last_word, {}, false});
  }
  return work;
}

void EditActions::drop_cancelled() {
  for (auto it = works_.begin(); it != works_.end();) {
    const auto work = it++;
    if (!work->second.cancelled.stop_requested()) continue;
    services_.stats().count(Count::cancelled);
    jobs_.cancel(work->second.job);
    take_out(work, "");  // a dropped reply answers RequestCancelled
  }
}

void EditActions::progress_cancelled(const lsp::ProgressToken& token) {
  const auto found =
      std::find_if(works_.begin(), works_.end(), [&](const auto& entry) { return entry.second.progress == token; });
  if (found == works_.end()) return;
  services_.stats().count(Count::cancelled);
  jobs_.cancel(found->second.job);
  fail(found, ErrorCode::request_cancelled, "cancelled");
}

// A change beside what an edit stands on moves it; one that touches it makes it void.
void EditActions::changed(const AppliedChange& change) {
  const std::string& uri = change.after->uri();
  if (const auto sent = sent_.find(uri); sent != sent_.end()) {
    if (sent->second == change.after->text()) services_.stats().count(Count::edits_applied);
    sent_.erase(sent);
  }
  for (auto it = works_.begin(); it != works_.end();) {
    const auto found = it++;
    Work& work = found->second;
    if (work.document->uri() != uri) continue;
    work.document = change.after;
    const bool touched = std::any_of(change.edits.begin(), change.edits.end(), [&](const ByteEdit& edit) {
      if (edit.begin > work.stands.end) return false;
      if (edit.old_end >= work.stands.begin) return true;
      const auto by = static_cast<std::ptrdiff_t>(edit.new_end) - static_cast<std::ptrdiff_t>(edit.old_end);
      work.stands = moved(work.stands, by);
      work.moved += by;
      return false;
    });
    if (touched) abandon(found);
  }
}

void EditActions::closed(const std::string& uri) {
  sent_.erase(uri);
  for (auto it = works_.begin(); it != works_.end();) {
    const auto found = it++;
    if (found->second.document->uri() == uri) abandon(found);
  }
}

void EditActions::abandon(Works::iterator work) {
  services_.stats().count(Count::stale);
  jobs_.cancel(work->second.job);
  fail(work, ErrorCode::content_modified, "the document has changed meanwhile");
}

// With a way to cancel it.
void EditActions::show_progress(std::uint64_t id) {
  const lsp::ProgressToken token = "cinnabar/edit/" + std::to_string(id);
  const auto begin = [this, id, token, alive = std::weak_ptr<bool>(alive_)](const lsp::Expected<lsp::Nothing>& made) {
    if (!made.ok() || alive.expired()) return;
    const auto found = works_.find(id);
    if (found == works_.end()) return;
    Work& work = found->second;
    work.progress = token;
    const std::string title =
        work.asked.title.empty() ? title_of(work.asked.command, work.machine->tally().steps) : work.asked.title;
    dispatcher_.notify(lsp::kProgress,
                       {token, lsp::WorkDoneProgress::Kind::begin, "Cinnabar: " + title, "", std::uint32_t{0}, true});
  };
  dispatcher_.call(lsp::kCreateProgress, {token}, std::function<void(lsp::Expected<lsp::Nothing>)>(begin));
}

}  // namespace cinnabar::daemon
