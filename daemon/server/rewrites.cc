#include "daemon/server/rewrites.h"

#include <algorithm>
#include <utility>

#include "daemon/editing/minimal_edit.h"
#include "lsp/code_action.h"

namespace cinnabar::daemon {
namespace {

using lsp::ErrorCode;

constexpr std::chrono::milliseconds kDeadline{60'000};  // the user waits, and may cancel
constexpr std::size_t kWorks = 4;                       // of one client
constexpr std::size_t kLongest = 32 * 1024;             // bytes of a region

lsp::WorkspaceEdit edit_of(const DocumentSnapshot& document, std::size_t begin, std::size_t end,
                           const std::string& rewritten, lsp::PositionEncoding encoding) {
  lsp::DocumentEdit edit{{document.uri(), document.version()}, {}};
  for (const TextChange& change :
       minimal_changes(std::string_view(document.text()).substr(begin, end - begin), rewritten)) {
    const lsp::Range range{document.position(begin + change.begin, encoding),
                           document.position(begin + change.end, encoding)};
    edit.edits.push_back({range, change.text, ""});
  }
  return {{std::move(edit)}, {}};
}

}  // namespace

bool from_json(const lsp::Field& at, RewriteAsked& out) {
  return at.required("uri", out.uri) && at.optional("version", out.version) && at.required("range", out.range) &&
         at.required("instruction", out.instruction);
}

Rewrites::Rewrites(Services& services, ClientState& state, ClientJobs& jobs, lsp::Dispatcher& dispatcher, Lookup lookup)
    : services_(services), state_(state), jobs_(jobs), dispatcher_(dispatcher), lookup_(std::move(lookup)) {}

void Rewrites::execute(const lsp::Json& arguments, const Options& options, const lsp::ClientCapabilities& client,
                       lsp::Reply<lsp::Json> reply) {
  if (!client.apply_edit)
    return reply.error(ErrorCode::kRequestFailed, "the client does not take edits (workspace.applyEdit)");
  const lsp::Json first = arguments.is_array() && !arguments.empty() ? arguments.front() : lsp::Json();
  const auto asked = lsp::read<RewriteAsked>(first, "params.arguments[0]", ErrorCode::kInvalidParams);
  if (!asked.ok()) return reply.error(asked.error());
  if (is_blank(asked->instruction))
    return reply.error(ErrorCode::kInvalidParams, "params.arguments[0].instruction: expected what is to be done");
  const auto document = lookup_(asked->uri);
  if (!document.ok()) return reply.error(document.error());
  if (asked->version && *asked->version != (*document)->version())
    return reply.error(ErrorCode::kContentModified, "the document has another version by now");
  if (works_.size() >= kWorks) return reply.error(ErrorCode::kRequestFailed, "too many edits are being worked on");
  const std::string& text = (*document)->text();
  const auto encoding = state_.documents.encoding();
  const std::size_t from = (*document)->byte_offset(asked->range.start, encoding);
  std::size_t to = std::max((*document)->byte_offset(asked->range.end, encoding), from);
  const std::size_t begin = line_begin(text, from);
  if (to > begin && text[to - 1] == '\n') --to;  // a selection of whole lines ends where the next one begins
  const std::size_t end = std::min(text.find('\n', to), text.size() - (text.empty() ? 0 : 1)) + (text.empty() ? 0 : 1);
  const std::string region = text.substr(begin, end - begin);
  if (is_blank(region)) return reply.error(ErrorCode::kRequestFailed, "there is nothing selected to be rewritten");
  if (region.size() > kLongest)
    return reply.error(ErrorCode::kRequestFailed, "the selection is too long to be rewritten");
  RewriteTask task{
      syntax::language_of(**document), text.substr(0, begin), region, text.substr(end), asked->instruction, {}};
  const std::uint64_t id = ++last_work_;
  works_.emplace(id, Rewriting{*document, begin, end,
                               std::make_unique<RewriteMachine>(std::move(task),
                                                                RewriteOptions{.defaults = options.request.defaults}),
                               deadline_of(options.request, kDeadline), std::move(reply), 0});
  services_.stats().count(Count::edits_asked);
  ask(id);
}

void Rewrites::ask(std::uint64_t id) {
  Rewriting& work = works_.at(id);
  engine::Job job;
  job.priority = engine::Priority::invoked;
  job.request = *work.machine->request();
  job.deadline = work.deadline;
  work.job = jobs_.submit(std::move(job), [this, id](engine::JobId job_id, const engine::Outcome& outcome) {
    answered(id, job_id, outcome);
  });
}

void Rewrites::answered(std::uint64_t id, engine::JobId job, const engine::Outcome& outcome) {
  const auto found = works_.find(id);
  if (found == works_.end() || found->second.job != job) return;
  if (outcome.result)
    found->second.machine->take(*outcome.result);
  else
    found->second.machine->failed(outcome.result.status());
  if (found->second.machine->request() != nullptr) return ask(id);
  finish(found);
}

void Rewrites::finish(Rewritings::iterator found) {
  Rewriting work = std::move(found->second);
  works_.erase(found);
  const auto rewritten = work.machine->result();
  if (!rewritten) return work.reply.error(ErrorCode::kRequestFailed, rewritten.message());
  services_.stats().count(Count::edits_made);
  const auto reply = std::make_shared<lsp::Reply<lsp::Json>>(std::move(work.reply));
  dispatcher_.call(lsp::kApplyEdit,
                   {"Rewrite", edit_of(*work.document, work.begin, work.end, *rewritten, state_.documents.encoding())},
                   std::function<void(lsp::Expected<lsp::ApplyEditResult>)>([reply](const auto& answer) {
                     if (!answer.ok()) return reply->error(ErrorCode::kRequestFailed, answer.error().message);
                     lsp::Json said = {{"applied", answer->applied}};
                     if (!answer->failure_reason.empty()) said["failureReason"] = answer->failure_reason;
                     reply->result(said);
                   }));
}

void Rewrites::drop_cancelled() {
  for (auto it = works_.begin(); it != works_.end();) {
    const auto work = it++;
    if (!work->second.reply.cancelled().stop_requested()) continue;
    services_.stats().count(Count::cancelled);
    jobs_.cancel(work->second.job);
    works_.erase(work);  // a dropped reply answers RequestCancelled
  }
}

void Rewrites::changed(const std::string& uri) {
  for (auto it = works_.begin(); it != works_.end();) {
    const auto work = it++;
    if (work->second.document->uri() != uri) continue;
    services_.stats().count(Count::stale);
    jobs_.cancel(work->second.job);
    work->second.reply.error(ErrorCode::kContentModified, "the document has changed meanwhile");
    works_.erase(work);
  }
}

}  // namespace cinnabar::daemon
