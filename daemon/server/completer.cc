#include "daemon/server/completer.h"

#include <algorithm>
#include <utility>

#include "daemon/server/menu_item.h"
#include "daemon/workspace/exclusions.h"

namespace cinnabar::daemon {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kTypingDeadline{5000};    // without a deadline of the user's own
constexpr std::chrono::milliseconds kInvokedDeadline{10000};  // the user waits for it
constexpr std::chrono::milliseconds kPrefetchDeadline{5000};
constexpr std::chrono::milliseconds kPrefetchDelay{150};  // most answers are typed over before
constexpr std::chrono::milliseconds kWarmDelay{8};        // what the editor asks with a change goes first
constexpr std::chrono::milliseconds kJustTyped{150};
constexpr std::chrono::milliseconds kWorthRepairing{20};  // time left for it

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

std::vector<AnswerCache::Rest> whole(const std::vector<std::string>& texts) {
  std::vector<AnswerCache::Rest> rests;
  rests.reserve(texts.size());
  for (const auto& text : texts) rests.push_back({text, 0});
  return rests;
}

}  // namespace

Completer::Completer(Services& services, ClientState& state, ClientJobs& jobs)
    : services_(services), state_(state), jobs_(jobs) {}

void Completer::complete(const SnapshotPtr& document, const lsp::InlineCompletionParams& params, const Options& options,
                         ItemsReply reply) {
  const auto since = Clock::now();
  Stats& stats = services_.stats();
  stats.count(Count::requests);
  supersede({document->uri(), reply.index()});
  const bool menu = std::holds_alternative<lsp::Reply<lsp::CompletionList>>(reply);
  const bool invoked = is_invoked(params);
  const auto wanted_version = params.text_document.version;
  if (wanted_version && *wanted_version != document->version()) {
    stats.count(Count::stale);
    return answer_empty(reply);
  }
  if (!invoked && !options.editor.automatic) return answer_empty(reply);
  const Target place = target_of(document, params);
  cursors_[document->uri()] = place.offset;
  const bool several = invoked && !menu;  // which a menu shows beside those of others
  const int asked = several ? options.editor.alternatives : 1;
  if (const auto rests = answers_.find(*place.document, place.offset, asked, place.basis)) {
    reply_with(reply, place, *rests);
    stats.count(rests->empty() ? Count::empty : Count::from_cache);
    stats.time(Stage::cached, milliseconds_since(since));
    stats.time(Stage::total, milliseconds_since(since));
    return;
  }
  Ask ask = ask_at(place.document, place.offset, options);
  ask.request.candidates = asked;
  ask.request.former = unfinished_.former(*place.document, place.offset);
  if (ask.request.former.empty()) ask.request.former = answers_.former(*place.document, place.offset);
  if (params.formatting)
    formatting_ = IndentStyle{!params.formatting->insert_spaces, static_cast<int>(params.formatting->tab_size)};
  AnswerOptions shaping = answer_options(options);
  shaping.formatting = formatting_;
  if (several) shaping.eagerness = Eagerness::eager;
  const auto priority = several ? engine::Priority::invoked : engine::Priority::typing;
  submit(Live{0, document, place, std::move(reply), options, asked, since, priority,
              std::make_unique<AnswerMachine>(std::move(ask), shaping)});
}

Target Completer::target_of(const SnapshotPtr& document, const lsp::InlineCompletionParams& params) const {
  const auto encoding = state_.documents.encoding();
  const std::size_t cursor = document->byte_offset(params.position, encoding);
  const auto basis = basis_of(*document);
  const auto& selected = params.selected;
  if (!selected || selected->range.start.line != selected->range.end.line)
    return {document, cursor, std::nullopt, basis};
  const std::size_t begin = document->byte_offset(selected->range.start, encoding);
  const std::size_t end = std::max(document->byte_offset(selected->range.end, encoding), begin);
  return {with_replaced(*document, begin, end, selected->text), begin + selected->text.size(), selected, basis};
}

AnswerCache::Basis Completer::basis_of(const DocumentSnapshot& document) const {
  // As much as any prompt takes.
  constexpr std::size_t kAbove = std::size_t{1} << 20;
  return {std::hash<std::string>()(state_.notebooks.above(document, state_.documents, kAbove)), settings_};
}

// vscode-languageclient 9 counts from 0 (0 invoked, 1 automatic) where LSP counts from 1. A 1 that comes right behind a
// change is taken for typing.
bool Completer::is_invoked(const lsp::InlineCompletionParams& params) {
  if (params.trigger == lsp::TriggerKind::invoked_from_zero) zero_based_triggers_ = true;
  if (params.trigger != lsp::TriggerKind::invoked) return params.trigger == lsp::TriggerKind::invoked_from_zero;
  const auto changed = last_changes_.find(params.text_document.uri);
  const bool just_typed = changed != last_changes_.end() && Clock::now() - changed->second < kJustTyped;
  return !zero_based_triggers_ && !just_typed;
}

void Completer::answer_empty(ItemsReply& reply) {
  std::visit([](auto& one) { one.result({}); }, reply);
}

void Completer::supersede(const LiveKey& key) {
  const auto found = live_.find(key);
  if (found == live_.end()) return;
  services_.stats().count(Count::superseded);
  stop(found->second);
  if (!found->second.answered) answer_empty(found->second.reply);
  live_.erase(found);
}

// Ends the model's work on a request. What it has so far is kept as a draft for the next request there.
void Completer::stop(const Live& live) {
  std::string text = jobs_.cancel(live.job);
  if (!text.empty()) unfinished_.add({live.place.document, live.place.offset, {std::move(text)}, 1});
}

void Completer::drop_cancelled() {
  for (auto it = live_.begin(); it != live_.end();) {
    const auto cancelled = std::visit([](const auto& reply) { return reply.cancelled(); }, it->second.reply);
    if (!cancelled.stop_requested() || it->second.answered) {
      ++it;
      continue;
    }
    services_.stats().count(Count::cancelled);
    stop(it->second);
    it = live_.erase(it);  // a dropped reply answers RequestCancelled
  }
}

std::chrono::milliseconds Completer::time_left(const Live& live) const {
  const auto deadline = deadline_of(live.options.request,
                                    live.priority == engine::Priority::invoked ? kInvokedDeadline : kTypingDeadline);
  return std::chrono::duration_cast<std::chrono::milliseconds>(live.since + deadline - Clock::now());
}

void Completer::submit(Live live) {
  LiveKey key{live.document->uri(), live.reply.index()};
  engine::Job job;
  job.priority = live.priority;
  job.request = live.machine->request();
  job.deadline = time_left(live);
  auto record = recording(live.place, job, live.options);
  live.job = jobs_.submit(
      std::move(job), [this](engine::JobId id, engine::Outcome outcome) { finished(id, std::move(outcome)); },
      std::move(record));
  live_.insert_or_assign(std::move(key), std::move(live));
}

void Completer::finished(engine::JobId job, engine::Outcome outcome) {
  const auto arrived = Clock::now();
  const auto found =
      std::find_if(live_.begin(), live_.end(), [job](const auto& entry) { return entry.second.job == job; });
  if (found == live_.end()) return;
  Live live = std::move(found->second);
  live_.erase(found);
  Stats& stats = services_.stats();
  if (!outcome.result && live.answered) return;
  if (!outcome.result) {
    stats.count(Count::failed);
    if (live.asked == 1) return answer_empty(live.reply);  // the status says why
    return std::visit([&](auto& reply) { reply.error(lsp::ErrorCode::request_failed, outcome.result.message()); },
                      live.reply);
  }
  stats.time(Stage::queue, outcome.queue_milliseconds);
  stats.time(Stage::prompt, outcome.result->prompt_milliseconds);
  stats.time(Stage::denoise, outcome.result->decode.milliseconds);
  pace_.read(outcome.result->prompt_tokens - outcome.result->reused_tokens, outcome.result->prompt_milliseconds);
  const bool stale = live.answered || is_stale(live);
  if (!live.machine->take(std::move(outcome.result).value()) && !stale && time_left(live) > kWorthRepairing) {
    stats.count(Count::repairs);
    return submit(std::move(live));
  }
  live.machine->judge_by(services_.gate());
  Answered answered = live.machine->finish();
  stats.count(Count::repair_forwards, static_cast<std::uint64_t>(answered.repair_forwards));
  if (answered.repaired) stats.count(Count::repaired);
  const bool stopped = answered.stopped_early;
  const auto texts = keep(live.place, std::move(answered), live.asked);
  late_ = stopped && texts.empty() ? std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - live.since)
                                   : std::chrono::milliseconds{0};
  if (late_.count() > 0) stats.count(Count::late);
  if (stale) {
    stats.count(Count::stale);
    if (!live.answered) answer_empty(live.reply);
  } else {
    reply_with(live.reply, live.place, whole(texts));
    stats.count(texts.empty() ? Count::empty : Count::from_model);
  }
  stats.time(Stage::post, milliseconds_since(arrived));
  stats.time(Stage::total, milliseconds_since(live.since));
  if (!stale && !texts.empty() && !live.place.selected) prefetch(live.place, texts.front(), live.options);
}

bool Completer::is_stale(const Live& live) const {
  const auto now = state_.documents.find(live.document->uri());
  return !now || now->revision() != live.document->revision() || basis_of(*now).above != live.place.basis.above;
}

void Completer::answer_stale(const std::string& uri) {
  for (std::size_t way = 0; way < std::variant_size_v<ItemsReply>; ++way) {
    const auto found = live_.find({uri, way});
    if (found == live_.end() || std::exchange(found->second.answered, true)) continue;
    answer_empty(found->second.reply);
  }
}

// The last one is kept: what is read in advance and what is asked then are about the same place.
syntax::ParseRegionPtr Completer::region_at(const SnapshotPtr& document, std::size_t offset) {
  if (!region_ || region_->document != document || site_offset_ != offset) {
    region_ = syntax::region_at(document, offset, state_.trees);
    site_offset_ = offset;
  }
  return region_;
}

Ask Completer::ask_at(const SnapshotPtr& document, std::size_t offset, const Options& options) {
  AskOptions how = ask_options(options);
  how.defaults.candidates = 1;
  // Whoever asks for a length gets it.
  if (options.request.defaults.budget == engine::PromptBudget())
    how.defaults.budget = pace_.fitting(options.request.defaults.budget);
  Surroundings around{state_.notebooks.above(*document, state_.documents, options.request.defaults.budget.prefix_bytes),
                      {}};
  if (options.editor.context) {
    const syntax::Language* language = syntax::language_of(*document);
    for (const auto& piece : state_.context.pieces(document, path_of(document->uri()), language, offset))
      around.context.push_back(context::rendered(piece, *language));
  }
  return daemon::ask_at(region_at(document, offset), offset, how, std::move(around));
}

// Remembers the texts of an answer and returns them. What is not sure enough is a draft for the next request.
std::vector<std::string> Completer::keep(const Target& place, Answered answered, int asked) {
  const bool doubted = !answered.doubted.empty();
  for (std::string& text : answered.doubted) unfinished_.add({place.document, place.offset, {std::move(text)}, 1});
  std::vector<std::string> texts;
  for (Shown& shown : answered.shown) texts.push_back(std::move(shown.text));
  const bool known = !texts.empty() || (!answered.stopped_early && !doubted);
  if (known) answers_.add({place.document, place.offset, texts, asked, place.basis});
  return texts;
}

void Completer::reply_with(ItemsReply& reply, const Target& place, const std::vector<AnswerCache::Rest>& rests) {
  services_.stats().count(Count::offered, rests.size());
  if (auto* inlined = std::get_if<lsp::Reply<lsp::InlineCompletionList>>(&reply)) {
    lsp::InlineCompletionList list;
    for (const auto& rest : rests) list.items.push_back(item_for(place, rest));
    return inlined->result(list);
  }
  lsp::CompletionList list;
  for (const auto& rest : rests) {
    list.items.push_back(
        menu_item(*place.document, place.offset, rest.text, rest.replaced, state_.documents.encoding()));
    list.items.back().preselect = list.items.size() == 1;
    list.items.back().command = offers_.make(place, rest.text);
  }
  std::get<lsp::Reply<lsp::CompletionList>>(reply).result(list);
}

lsp::InlineCompletionItem Completer::item_for(const Target& place, const AnswerCache::Rest& rest) {
  const auto encoding = state_.documents.encoding();
  lsp::InlineCompletionItem item;
  if (place.selected) {
    item.insert_text = place.selected->text + rest.text;
    item.range = place.selected->range;
  } else {
    item.insert_text = rest.text;
    item.range = {place.document->position(place.offset, encoding),
                  place.document->position(place.offset + rest.replaced, encoding)};
  }
  item.command = offers_.make(place, rest.text);
  return item;
}

// What is told of a job when the model has run it; empty: nothing is recorded.
ClientJobs::Observer Completer::recording(const Target& place, const engine::Job& job, const Options& options) {
  if (!services_.records()) return {};
  Recording recording;
  const auto parsed = state_.trees.of(place.document);
  if (parsed.tree) recording.language = parsed.tree->language().name;
  recording.above =
      state_.notebooks.above(*place.document, state_.documents, options.request.defaults.budget.prefix_bytes);
  recording.before = place.document->text().substr(0, place.offset);
  recording.behind = place.document->text().substr(place.offset);
  recording.options = options;
  recording.options.request.defaults.budget = job.request.budget;
  recording.candidates = job.request.candidates;
  recording.former = job.request.former;
  recording.heading = job.request.heading.value_or("");
  recording.context = job.request.context;
  recording.resume = job.request.resume;
  return [&services = services_, recording = std::move(recording)](const engine::Outcome& outcome) {
    if (!outcome.result) return;
    Recording whole = recording;
    whole.answers = outcome.result->answers;
    whole.nfe = outcome.result->decode.nfe;
    services.record(std::move(whole));
  };
}

void Completer::changed(const AppliedChange& change, const Options& options) {
  const std::string& uri = change.after->uri();
  last_changes_[uri] = Clock::now();
  answer_stale(uri);
  if (change.edits.empty()) return;
  if (options.editor.context) state_.context.edited(change, path_of(uri));
  const std::size_t cursor = change.edits.back().new_end;
  cursors_[uri] = cursor;
  if (change.edits.size() == 1 && !answers_.find(*change.after, cursor, 1, basis_of(*change.after)))
    warm(change.after, cursor, options);
}

void Completer::focused(const SnapshotPtr& document, const Options& options) {
  services_.runner().load();
  const auto cursor = cursors_.find(document->uri());
  if (cursor != cursors_.end()) warm(document, std::min(cursor->second, document->text().size()), options);
}

void Completer::closed(const std::string& uri) {
  for (std::size_t way = 0; way < std::variant_size_v<ItemsReply>; ++way) supersede({uri, way});
  for (auto* jobs : {&warming_, &prefetching_}) {
    if (const auto job = jobs->find(uri); job != jobs->end()) {
      jobs_.cancel(job->second);
      jobs->erase(job);
    }
  }
  cursors_.erase(uri);
  last_changes_.erase(uri);
  state_.trees.forget(uri);
  region_.reset();
  answers_.forget(uri);
  unfinished_.forget(uri);
  state_.context.forget(path_of(uri));
}

void Completer::saved(const std::string& uri) { state_.context.saved(path_of(uri)); }

void Completer::set_workspace(const std::vector<std::string>& folders, const Options& options) {
  const bool wanted = options.editor.context && options.editor.trusted && !folders.empty();
  std::string workspace;
  if (wanted) {
    for (const auto& folder : folders) workspace += folder + "\n";
    for (const auto& glob : options.editor.exclude) workspace += "!" + glob + "\n";
  }
  if (std::exchange(workspace_, workspace) == workspace) return;
  if (!wanted) return state_.context.clear();
  // The index's thread has ignore files of its own.
  const auto ignores = std::make_shared<IgnoreFiles>();
  state_.context.set_folders(folders, [folders, ignores,
                                       rules = Exclusions{options.editor.enabled, options.editor.languages,
                                                          options.editor.exclude}](const std::string& path) {
    const syntax::Language* language = syntax::language_of_path(path);
    return language != nullptr && may_be_read(path, language->name, rules, folders, *ignores);
  });
}

// Reads a prompt in advance, behind everything else. What is to be read is found out when it is due, which most changes
// of somebody who types never are: it costs a parse.
void Completer::warm(const SnapshotPtr& document, std::size_t offset, const Options& options) {
  engine::Job job;
  job.priority = engine::Priority::prefetch;
  job.only_warm = true;
  job.delay = kWarmDelay;
  job.prepare = [this, document, offset, options]() -> std::optional<engine::InfillRequest> {
    if (state_.documents.find(document->uri()) != document) return std::nullopt;
    return ask_at(document, offset, options).request;
  };
  engine::JobId& last = warming_[document->uri()];
  jobs_.cancel(last);
  last = jobs_.submit(std::move(job), {});
}

// Works ahead on what comes when `text` has been accepted: behind it, or on the next line where its line is full.
void Completer::prefetch(const Target& place, const std::string& text, const Options& options) {
  if (!options.editor.prefetch) return;
  const Target next = after_accepting(place, text);
  if (answers_.find(*next.document, next.offset, 1, next.basis)) return;
  engine::Job job;
  job.priority = engine::Priority::prefetch;
  job.delay = kPrefetchDelay;
  job.deadline = deadline_of(options.request, kPrefetchDeadline);
  AnswerOptions shaping = answer_options(options);
  shaping.repairs = 0;  // it may never be looked at
  shaping.formatting = formatting_;
  const auto machine = std::make_shared<AnswerMachine>(ask_at(next.document, next.offset, options), shaping);
  job.request = machine->request();
  auto record = recording(next, job, options);
  engine::JobId& last = prefetching_[place.document->uri()];
  jobs_.cancel(last);
  last = jobs_.submit(
      std::move(job),
      [this, next, machine](engine::JobId id, engine::Outcome outcome) {
        prefetched(id, next, *machine, std::move(outcome));
      },
      std::move(record));
}

void Completer::prefetched(engine::JobId job, const Target& place, AnswerMachine& machine, engine::Outcome outcome) {
  const auto current = prefetching_.find(place.document->uri());
  if (current == prefetching_.end() || current->second != job || !outcome.result) return;
  prefetching_.erase(current);
  services_.stats().count(Count::prefetched);
  machine.take(std::move(outcome.result).value());
  machine.judge_by(services_.gate());
  keep(place, machine.finish(), 1);
}

void Completer::shown(const lsp::InlineCompletionItem& item) {
  Offer* offered = offers_.find(item);
  if (offered && !std::exchange(offered->shown, true)) services_.stats().count(Count::shown);
}

void Completer::partly_accepted(const lsp::InlineCompletionItem& item) {
  Offer* offered = offers_.find(item);
  if (offered && !std::exchange(offered->partly, true)) services_.stats().count(Count::partly_accepted);
}

bool Completer::accepted(const lsp::Json& arguments, const Options& options) {
  Offer* offered = offers_.find(arguments);
  if (!offered) return false;
  if (std::exchange(offered->accepted, true)) return true;
  if (!std::exchange(offered->shown, true)) services_.stats().count(Count::shown);  // not every client says so
  services_.stats().count(Count::accepted);
  services_.stats().count(Count::accepted_bytes, offered->text.size());
  if (!offered->target.selected) prefetch(offered->target, offered->text, options);
  return true;
}

}  // namespace cinnabar::daemon
