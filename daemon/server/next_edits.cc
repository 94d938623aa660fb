#include "daemon/server/next_edits.h"

#include <algorithm>
#include <utility>

#include "daemon/completion/heading.h"

namespace cinnabar::daemon {
namespace {

constexpr std::chrono::milliseconds kDeadline{3'000};
constexpr std::size_t kOffers = 32, kRefused = 20;
constexpr int kIgnored = 3;  // offered so often and not taken: it is not wanted

std::string_view replaced_by(const DocumentSnapshot& document, const EditCandidate& candidate) {
  return std::string_view(document.text()).substr(candidate.begin, candidate.end - candidate.begin);
}

std::string_view line_of(const DocumentSnapshot& document, const EditCandidate& candidate) {
  const std::string_view text = document.text();
  const std::size_t begin = line_begin(text, candidate.begin);
  return text.substr(begin, line_end(text, candidate.begin) - begin);
}

}  // namespace

NextEdits::NextEdits(Services& services, ClientState& state, ClientJobs& jobs)
    : services_(services), state_(state), jobs_(jobs) {}

void NextEdits::ask(const SnapshotPtr& document, const lsp::TextDocumentPosition& params, const Options& options,
                    EditsReply reply) {
  services_.stats().count(Count::next_edits_asked);
  supersede(document->uri());
  const auto wanted = params.text_document.version;
  const auto history = histories_.find(document->uri());
  if (!options.editor.next_edit || (wanted && *wanted != document->version()) || history == histories_.end() ||
      history->second.edits().empty())
    return reply.result({});
  const auto parsed = state_.trees.of(document);
  const std::size_t cursor = document->byte_offset(params.position, state_.documents.encoding());
  Asking asking{
      document, std::move(reply),
      make_next_edit(services_.next_edit_form(), {document->text(), history->second.edits(), cursor, parsed.tree.get()},
                     told_name(*document),
                     {.eagerness = eagerness_in_nats(options.request.eagerness),
                      .defaults = options.request.defaults,
                      .refused = [this, document](const auto& candidate) { return is_refused(document, candidate); }}),
      0};
  if (asking.machine->request() == nullptr) return answer(std::move(asking), {});
  asking_.insert_or_assign(document->uri(), std::move(asking));
  submit(document->uri());
}

void NextEdits::submit(const std::string& uri) {
  Asking& asking = asking_.at(uri);
  engine::Job job;
  job.priority = engine::Priority::prefetch;  // gives way to completions
  job.request = *asking.machine->request();
  job.deadline = kDeadline;
  asking.job = jobs_.submit(
      std::move(job), [this, uri](engine::JobId id, const engine::Outcome& outcome) { finished(uri, id, outcome); });
}

void NextEdits::finished(const std::string& uri, engine::JobId job, const engine::Outcome& outcome) {
  const auto found = asking_.find(uri);
  if (found == asking_.end() || found->second.job != job) return;
  Asking& asking = found->second;
  if (outcome.result) {
    asking.machine->take(*outcome.result);
    if (asking.machine->request() != nullptr) return submit(uri);
  }
  Asking done = std::move(asking);
  asking_.erase(found);
  const auto edits = done.machine->shown();
  answer(std::move(done), edits);
}

void NextEdits::answer(Asking asking, const std::vector<EditCandidate>& edits) {
  const auto encoding = state_.documents.encoding();
  lsp::NextEditList list;
  for (const EditCandidate& edit : edits) {
    const auto id = make_offer(asking.document, edit);
    list.edits.push_back(
        {edit.text,
         {asking.document->uri(), asking.document->version()},
         {asking.document->position(edit.begin, encoding), asking.document->position(edit.end, encoding)},
         lsp::Command{"Accept next edit", kAccepted, lsp::Json::array({id})}});
  }
  services_.stats().count(Count::next_edits_offered, list.edits.empty() ? 0 : 1);
  asking.reply.result(list);
}

void NextEdits::supersede(const std::string& uri) {
  const auto found = asking_.find(uri);
  if (found == asking_.end()) return;
  jobs_.cancel(found->second.job);
  found->second.reply.result({});
  asking_.erase(found);
}

void NextEdits::drop_cancelled() {
  for (auto it = asking_.begin(); it != asking_.end();) {
    const auto asking = it++;
    if (!asking->second.reply.cancelled().stop_requested()) continue;
    jobs_.cancel(asking->second.job);
    asking_.erase(asking);  // a dropped reply answers RequestCancelled
  }
}

void NextEdits::changed(const AppliedChange& change) {
  const std::string& uri = change.after->uri();
  supersede(uri);
  if (change.edits.empty()) return;
  EditHistory& history = histories_[uri];
  if (change.edits.size() == 1) return history.add(change.before->text(), change.edits.front(), change.after->text());
  // Each edit speaks of the text that the one before left behind.
  std::string text = change.before->text();
  const std::string& last = change.after->text();
  for (std::size_t i = 0; i < change.edits.size(); ++i) {
    const ByteEdit& edit = change.edits[i];
    std::ptrdiff_t later = 0;  // what the edits after this one move, where they stand before it
    std::size_t begin = edit.begin;
    for (std::size_t j = i + 1; j < change.edits.size(); ++j) {
      if (change.edits[j].begin <= begin)
        later +=
            static_cast<std::ptrdiff_t>(change.edits[j].new_end) - static_cast<std::ptrdiff_t>(change.edits[j].old_end);
    }
    const auto from = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(edit.begin) + later);
    if (edit.old_end > text.size() || from > last.size()) return history.clear();
    std::string next = text;
    next.replace(edit.begin, edit.old_end - edit.begin, last, from, edit.new_end - edit.begin);
    history.add(text, edit, next);
    text = std::move(next);
  }
  if (text != last) history.clear();  // edits that overlap
}

void NextEdits::closed(const std::string& uri) {
  supersede(uri);
  histories_.erase(uri);
}

std::optional<RewriteExample> NextEdits::last_edit(const std::string& uri) const {
  constexpr std::size_t kLines = 40;
  const auto document = state_.documents.find(uri);
  const auto history = document ? histories_.find(document->uri()) : histories_.end();
  if (history == histories_.end() || history->second.edits().empty()) return std::nullopt;
  const LineEdit edit = whole_lines(document->text(), history->second.edits().back());
  if (edit.before.empty() || edit.after.empty() || edit.before.size() + edit.after.size() > kLines) return std::nullopt;
  const auto text = [](const std::vector<std::string>& lines) {
    std::string all;
    for (const auto& line : lines) all += line + "\n";
    return all;
  };
  return RewriteExample{text(edit.before), text(edit.after)};
}

std::uint64_t NextEdits::make_offer(const SnapshotPtr& document, const EditCandidate& candidate) {
  const std::string_view replaced = replaced_by(*document, candidate), line = line_of(*document, candidate);
  const auto known = std::find_if(offers_.begin(), offers_.end(), [&](const Suggestion& offer) {
    return offer.uri == document->uri() && offer.replaced == replaced && offer.text == candidate.text &&
           offer.line == line;
  });
  if (known != offers_.end()) {
    ++known->times;
    return known->id;
  }
  offers_.push_front({++last_offer_, document->uri(), std::string(replaced), candidate.text, std::string(line)});
  if (offers_.size() > kOffers) offers_.pop_back();
  return last_offer_;
}

NextEdits::Suggestion* NextEdits::offer(const lsp::Json& arguments) {
  if (!arguments.is_array() || arguments.empty() || !arguments[0].is_number_unsigned()) return nullptr;
  const auto id = arguments[0].get<std::uint64_t>();
  const auto found =
      std::find_if(offers_.begin(), offers_.end(), [id](const Suggestion& offer) { return offer.id == id; });
  return found == offers_.end() ? nullptr : &*found;
}

bool NextEdits::is_refused(const SnapshotPtr& document, const EditCandidate& candidate) const {
  const auto is_same = [&](const Suggestion& offer) {
    return offer.uri == document->uri() && offer.text == candidate.text &&
           offer.replaced == replaced_by(*document, candidate);
  };
  return std::any_of(refused_.begin(), refused_.end(), is_same) ||
         std::any_of(offers_.begin(), offers_.end(), [&](const Suggestion& offer) {
           return offer.shown && offer.times >= kIgnored && is_same(offer) &&
                  offer.line == line_of(*document, candidate);
         });
}

void NextEdits::shown(const lsp::DidShowInlineEditParams& params) {
  Suggestion* offered = params.command ? offer(params.command->arguments) : nullptr;
  if (offered != nullptr && !std::exchange(offered->shown, true)) services_.stats().count(Count::next_edits_shown);
}

bool NextEdits::execute(const std::string& command, const lsp::Json& arguments) {
  if (command != kAccepted && command != kRejected) return false;
  Suggestion* offered = offer(arguments);
  if (offered == nullptr) return true;  // one that is no longer known needs nothing
  services_.stats().count(command == kAccepted ? Count::next_edits_accepted : Count::next_edits_rejected);
  if (command == kRejected) {
    refused_.push_front(*offered);
    if (refused_.size() > kRefused) refused_.pop_back();
  }
  std::erase_if(offers_, [id = offered->id](const Suggestion& other) { return other.id == id; });
  return true;
}

}  // namespace cinnabar::daemon
