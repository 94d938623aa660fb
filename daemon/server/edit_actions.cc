#include "daemon/server/edit_actions.h"

#include <algorithm>
#include <utility>

#include "daemon/completion/heading.h"

namespace cinnabar::daemon {
namespace {

using lsp::ErrorCode;

constexpr std::chrono::milliseconds kHoleDeadline{60'000};  // the user waits, and may cancel
constexpr std::size_t kWorks = 8;                           // of one client

std::string in_words(std::chrono::milliseconds time) {
  const bool seconds = time.count() % 1000 == 0;
  return std::to_string(seconds ? time.count() / 1000 : time.count()) + (seconds ? " s" : " ms");
}

lsp::Expected<EditPlace> place_of(const lsp::Json& value, std::string_view name) {
  return lsp::read<EditPlace>(value, name, ErrorCode::kInvalidParams);
}

}  // namespace

EditActions::EditActions(Services& services, ClientState& state, ClientJobs& jobs, lsp::Dispatcher& dispatcher,
                         Lookup lookup)
    : services_(services), state_(state), jobs_(jobs), dispatcher_(dispatcher), lookup_(std::move(lookup)) {}

std::vector<lsp::CodeAction> EditActions::offered(const lsp::CodeActionParams& params,
                                                  const lsp::ClientCapabilities& client) {
  std::vector<lsp::CodeAction> actions;
  const bool resolves = client.code_action_resolves_edit && client.code_action_data;
  const auto document = lookup_(params.text_document.uri);
  if (!document.ok() || !client.code_action_literals || !(resolves || client.apply_edit)) return actions;
  const auto parsed = state_.trees.of(*document);
  if (!parsed.tree) return actions;
  const std::size_t begin = (*document)->byte_offset(params.range.start, state_.documents.encoding());
  const std::size_t end = (*document)->byte_offset(params.range.end, state_.documents.encoding());
  // Editors ask with every move of the cursor; the whole document is looked through only when the user asks.
  const bool all = begin != end || params.trigger == lsp::TriggerKind::kInvoked;
  std::vector<syntax::Hole> offered;
  for (const Edit edit : kEdits) {
    if (!is_wanted(edit, params.only) || (edit == Edit::fill_holes && !all)) continue;
    const auto holes = holes_of(edit, *parsed.tree, begin, end);
    if (holes.empty()) continue;
    if (holes.size() == 1 && !offered.empty() && offered.front().begin == holes.front().begin) continue;  // the same
    offered = holes;
    const EditPlace place{{(*document)->uri(), (*document)->version()}, params.range};
    lsp::CodeAction action{.title = title_of(edit, holes.size()), .kind = std::string(kind_of(edit))};
    action.is_generated = client.code_action_tags;
    if (resolves) {
      action.data = to_json(place);
      action.data["command"] = command_of(edit);
    } else {
      action.command = lsp::Command{action.title, std::string(command_of(edit)), lsp::Json::array({to_json(place)})};
    }
    actions.push_back(std::move(action));
  }
  return actions;
}

void EditActions::resolve(lsp::CodeAction action, const Options& options, const lsp::ClientCapabilities& client,
                          lsp::Reply<lsp::CodeAction> reply) {
  const auto place = place_of(action.data, "params.data");
  if (!place.ok()) return reply.error(place.error());
  const auto command = action.data.find("command");
  const auto edit = command != action.data.end() && command->is_string()
                        ? edit_of_command(command->get_ref<const std::string&>())
                        : std::nullopt;
  if (!edit) return reply.error(ErrorCode::kInvalidParams, "params.data.command: expected a code action's of ours");
  const auto cancelled = reply.cancelled();
  const auto shared = std::make_shared<lsp::Reply<lsp::CodeAction>>(std::move(reply));
  const auto refused = start(*edit, *place, options, client, cancelled,
                             [action = std::move(action), shared](auto made, const MultiHoleFill&) mutable {
                               if (!made.ok()) return shared->error(made.error());
                               action.edit = std::move(made).value();
                               shared->result(action);
                             });
  if (refused) shared->error(*refused);
}

void EditActions::execute(Edit edit, const lsp::Json& arguments, const Options& options,
                          const lsp::ClientCapabilities& client, lsp::Reply<lsp::Json> reply) {
  if (!client.apply_edit)
    return reply.error(ErrorCode::kRequestFailed, "the client does not take edits (workspace.applyEdit)");
  const auto place = place_of(arguments.empty() ? lsp::Json() : arguments.front(), "params.arguments[0]");
  if (!place.ok()) return reply.error(place.error());
  const auto cancelled = reply.cancelled();
  const auto shared = std::make_shared<lsp::Reply<lsp::Json>>(std::move(reply));
  const auto refused = start(edit, *place, options, client, cancelled,
                             [this, edit, shared](const auto& made, const MultiHoleFill& filling) {
                               if (!made.ok()) return shared->error(made.error());
                               send(title_of(edit, filling.holes()), *made, filling, shared);
                             });
  if (refused) shared->error(*refused);
}

void EditActions::send(const std::string& label, const lsp::WorkspaceEdit& edit, const MultiHoleFill& filling,
                       const std::shared_ptr<lsp::Reply<lsp::Json>>& reply) {
  sent_[edit.documents.front().text_document.uri] = filling.text();
  const lsp::Json result = {{"holes", filling.holes()}, {"filled", filling.filled()}};
  dispatcher_.call(lsp::kApplyEdit, {label, edit},
                   std::function<void(lsp::Expected<lsp::ApplyEditResult>)>([reply, result](const auto& answer) {
                     if (!answer.ok()) return reply->error(ErrorCode::kRequestFailed, answer.error().message);
                     lsp::Json said = result;
                     said["applied"] = answer->applied;
                     if (!answer->failure_reason.empty()) said["failureReason"] = answer->failure_reason;
                     reply->result(said);
                   }));
}

std::optional<lsp::ResponseError> EditActions::start(Edit edit, const EditPlace& place, const Options& options,
                                                     const lsp::ClientCapabilities& client, std::stop_token cancelled,
                                                     Done done) {
  const auto document = lookup_(place.text_document.uri);
  if (!document.ok()) return document.error();
  const auto wanted = place.text_document.version;
  if (wanted && *wanted != (*document)->version()) {
    services_.stats().count(Count::stale);
    return lsp::ResponseError{ErrorCode::kContentModified, "the document has another version by now"};
  }
  if (works_.size() >= kWorks)
    return lsp::ResponseError{ErrorCode::kRequestFailed, "too many edits are being worked on"};
  const auto parsed = state_.trees.of(*document);
  if (!parsed.tree) return lsp::ResponseError{ErrorCode::kRequestFailed, "there is no syntax tree of this document"};
  const auto encoding = state_.documents.encoding();
  const std::size_t begin = place.range ? (*document)->byte_offset(place.range->start, encoding) : 0;
  const std::size_t end = place.range ? (*document)->byte_offset(place.range->end, encoding) : 0;
  auto holes = holes_of(edit, *parsed.tree, begin, end);
  if (holes.empty()) return lsp::ResponseError{ErrorCode::kRequestFailed, "there is nothing to be filled here"};
  const MultiHoleOptions filling{.repairs = options.request.repairs,
                                 .near = options.request.defaults.budget.suffix_bytes,
                                 .together = services_.runner().model().fills_together};
  engine::InfillRequest defaults = MultiHoleFill::defaults(options.request.defaults);
  defaults.heading = heading_of(**document);
  const std::uint64_t id = ++last_work_;
  works_[id] = Work{edit,
                    *document,
                    std::make_unique<MultiHoleFill>(parsed.tree->language(), (*document)->text(), std::move(holes),
                                                    std::move(defaults), filling),
                    0,
                    std::move(cancelled),
                    std::move(done),
                    {},
                    deadline_of(options.request, kHoleDeadline),
                    false};
  services_.stats().count(Count::edits_asked);
  if (client.work_done_progress) show_progress(id);
  ask(id);
  return std::nullopt;
}

void EditActions::ask(std::uint64_t id) {
  Work& work = works_.at(id);
  engine::Job job;
  job.priority = work.edit == Edit::complete_function ? engine::Priority::invoked : engine::Priority::refactor;
  job.request = work.filling->request();
  job.deadline = work.deadline;
  work.job = jobs_.submit(std::move(job), [this, id](engine::JobId number, const engine::Outcome& outcome) {
    answered(id, number, outcome);
  });
}

void EditActions::answered(std::uint64_t id, engine::JobId job, const engine::Outcome& outcome) {
  const auto found = works_.find(id);
  if (found == works_.end() || found->second.job != job) return;
  Work& work = found->second;
  if (!outcome.result) return fail(found, ErrorCode::kRequestFailed, outcome.result.message());
  const std::size_t before = work.filling->seen();
  for (const engine::InfillAnswer& answer : outcome.result->answers)
    work.out_of_time = work.out_of_time || answer.reason == engine::StopReason::deadline;
  work.filling->take(*outcome.result);
  if (work.filling->done()) return finish(found);
  if (work.progress && work.filling->seen() != before) {
    const std::size_t seen = work.filling->seen(), all = work.filling->holes();
    dispatcher_.notify(lsp::kProgress, {*work.progress, lsp::WorkDoneProgress::Kind::kReport, "",
                                        std::to_string(seen) + " of " + std::to_string(all),
                                        static_cast<std::uint32_t>(seen * 100 / all), true});
  }
  ask(id);
}

void EditActions::finish(Works::iterator found) {
  Stats& stats = services_.stats();
  const auto changes = found->second.filling->changes();
  if (changes.empty())
    return fail(found, ErrorCode::kRequestFailed,
                found->second.out_of_time ? "the model was not done after " + in_words(found->second.deadline) +
                                                "; asked again it goes on from what it has read"
                                          : "the model has found nothing that fits");
  const Work work = take_out(found, "");
  stats.count(Count::edits_made);
  stats.count(Count::repairs, static_cast<std::uint64_t>(work.filling->repairs()));
  stats.count(Count::repair_forwards, static_cast<std::uint64_t>(work.filling->repair_forwards()));
  stats.count(Count::repaired, static_cast<std::uint64_t>(work.filling->repaired()));
  work.done(workspace_edit(*work.document, changes, state_.documents.encoding()), *work.filling);
}

void EditActions::fail(Works::iterator found, ErrorCode code, std::string why) {
  const Work work = take_out(found, why);
  work.done(lsp::ResponseError{code, std::move(why)}, *work.filling);
}

EditActions::Work EditActions::take_out(Works::iterator found, const std::string& last_word) {
  Work work = std::move(found->second);
  works_.erase(found);
  if (work.progress) {
    dispatcher_.notify(lsp::kProgress, {*work.progress, lsp::WorkDoneProgress::Kind::kEnd, "", last_word, {}, false});
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
  fail(found, ErrorCode::kRequestCancelled, "cancelled");
}

void EditActions::changed(const DocumentSnapshot& document) {
  if (const auto sent = sent_.find(document.uri()); sent != sent_.end()) {
    if (sent->second == document.text()) services_.stats().count(Count::edits_applied);
    sent_.erase(sent);
  }
  abandon(document.uri());
}

void EditActions::closed(const std::string& uri) {
  sent_.erase(uri);
  abandon(uri);
}

void EditActions::abandon(const std::string& uri) {
  for (auto it = works_.begin(); it != works_.end();) {
    const auto work = it++;
    if (work->second.document->uri() != uri) continue;
    services_.stats().count(Count::stale);
    jobs_.cancel(work->second.job);
    fail(work, ErrorCode::kContentModified, "the document has changed meanwhile");
  }
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
    dispatcher_.notify(lsp::kProgress,
                       {token, lsp::WorkDoneProgress::Kind::kBegin,
                        "Cinnabar: " + title_of(work.edit, work.filling->holes()), "", std::uint32_t{0}, true});
  };
  dispatcher_.call(lsp::kCreateProgress, {token}, std::function<void(lsp::Expected<lsp::Nothing>)>(begin));
}

}  // namespace cinnabar::daemon
