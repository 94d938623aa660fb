#include "daemon/server/completer.h"

#include <algorithm>
#include <utility>

#include "daemon/server/menu_item.h"
#include "daemon/workspace/exclusions.h"

namespace cinnabar::daemon {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kTypingLimit{5000};    // without a deadline of the user's own
constexpr std::chrono::milliseconds kInvokedLimit{10000};  // the user waits for it
constexpr std::chrono::milliseconds kPrefetchLimit{5000};
constexpr std::chrono::milliseconds kPrefetchDelay{150};  // most answers are typed over before
constexpr std::chrono::milliseconds kWarmDelay{8};        // what the editor asks with a change goes first
constexpr std::chrono::milliseconds kJustTyped{150};
constexpr std::chrono::milliseconds kWorthRepairing{20};  // time left for it
constexpr std::size_t kOffers = 32;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// `document` with bytes [begin, end) replaced; not a snapshot of the store's, so it has the revision of its origin.
SnapshotPtr with_replaced(const DocumentSnapshot& document, std::size_t begin, std::size_t end,
                          std::string_view inserted) {
  std::string text = document.text();
  text.replace(begin, end - begin, inserted);
  LineIndex lines = document.lines();
  lines.update(text, begin, end, begin + inserted.size());
  return std::make_shared<const DocumentSnapshot>(
      DocumentSnapshot::Identity{document.uri(), document.language_id(), document.version(), document.revision()},
      std::move(text), std::move(lines));
}

// The line end and the indentation that most editors put in when the user goes on with the next line.
std::string next_line_start(const DocumentSnapshot& document, std::size_t offset) {
  const std::string_view text = document.text();
  const std::size_t line = document.lines().line_of(offset), begin = document.lines().line_begin(line);
  if (document.lines().line_end(text, line) != offset) return {};
  const std::size_t indent = std::min(text.find_first_not_of(" \t", begin), offset) - begin;
  const bool carriage_returns = line > 0 && begin >= 2 && text[begin - 2] == '\r';
  return (carriage_returns ? "\r\n" : "\n") + std::string(text.substr(begin, indent));
}

std::vector<AnswerCache::Rest> whole(const std::vector<std::string>& texts) {
  std::vector<AnswerCache::Rest> rests;
  rests.reserve(texts.size());
  for (const auto& text : texts) rests.push_back({text, 0});
  return rests;
}

}  // namespace

Completer::Completer(Services& services, engine::ClientId client, const DocumentStore& documents,
                     const Notebooks& notebooks, Guard guard)
    : services_(services), client_(client), documents_(documents), notebooks_(notebooks), guard_(std::move(guard)) {}

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
  if (!invoked && !options.completion.automatic) return answer_empty(reply);
  const Place place = place_of(document, params);
  cursors_[document->uri()] = place.offset;
  const bool several = invoked && !menu;  // which a menu shows beside those of others
  const int asked = several ? options.completion.alternatives : 1;
  if (const auto rests = answers_.find(*place.document, place.offset, asked)) {
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

Completer::Place Completer::place_of(const SnapshotPtr& document, const lsp::InlineCompletionParams& params) const {
  const auto encoding = documents_.encoding();
  const std::size_t cursor = document->byte_offset(params.position, encoding);
  const auto& selected = params.selected;
  if (!selected || selected->range.start.line != selected->range.end.line) return {document, cursor, std::nullopt};
  const std::size_t begin = document->byte_offset(selected->range.start, encoding);
  const std::size_t end = std::max(document->byte_offset(selected->range.end, encoding), begin);
  return {with_replaced(*document, begin, end, selected->text), begin + selected->text.size(), selected};
}

// vscode-languageclient 9 counts from 0 (0 invoked, 1 automatic) where LSP counts from 1. A 1 that comes right behind a
// change is taken for typing.
bool Completer::is_invoked(const lsp::InlineCompletionParams& params) {
  if (params.trigger == lsp::TriggerKind::kInvokedFromZero) zero_based_triggers_ = true;
  if (params.trigger != lsp::TriggerKind::kInvoked) return params.trigger == lsp::TriggerKind::kInvokedFromZero;
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
  answer_empty(found->second.reply);
  live_.erase(found);
}

// Ends the model's work on a request. What it has so far is kept as a draft for the next request there.
void Completer::stop(const Live& live) {
  std::string text = services_.runner().cancel(live.job);
  if (!text.empty()) unfinished_.add({live.place.document, live.place.offset, {std::move(text)}, 1});
}

void Completer::drop_cancelled() {
  for (auto it = live_.begin(); it != live_.end();) {
    const auto cancelled = std::visit([](const auto& reply) { return reply.cancelled(); }, it->second.reply);
    if (!cancelled.stop_requested()) {
      ++it;
      continue;
    }
    services_.stats().count(Count::cancelled);
    stop(it->second);
    it = live_.erase(it);  // a dropped reply answers RequestCancelled
  }
}

std::chrono::milliseconds Completer::time_left(const Live& live) const {
  const auto limit = live.options.deadline_ms > 0                 ? std::chrono::milliseconds(live.options.deadline_ms)
                     : live.priority == engine::Priority::invoked ? kInvokedLimit
                                                                  : kTypingLimit;
  return std::chrono::duration_cast<std::chrono::milliseconds>(live.since + limit - Clock::now());
}

void Completer::submit(Live live) {
  LiveKey key{live.document->uri(), live.reply.index()};
  engine::Job job;
  job.client = client_;
  job.priority = live.priority;
  job.request = live.machine->request();
  job.time_limit = time_left(live);
  // The runner knows the id only after this; the lock that is held here keeps its answer waiting until then.
  const auto id = std::make_shared<engine::JobId>(0);
  job.done = [this, id, guard = guard_, record = recording(live.place, job, live.options)](engine::Outcome outcome) {
    if (record) record(outcome);
    guard([&] { finished(*id, std::move(outcome)); });
  };
  *id = live.job = services_.runner().submit(std::move(job));
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
  if (!outcome.result) {
    stats.count(Count::failed);
    if (live.asked == 1) return answer_empty(live.reply);  // the status says why
    return std::visit([&](auto& reply) { reply.error(lsp::ErrorCode::kRequestFailed, outcome.result.message()); },
                      live.reply);
  }
  stats.time(Stage::queue, outcome.queue_milliseconds);
  stats.time(Stage::prompt, outcome.result->prompt_milliseconds);
  stats.time(Stage::denoise, outcome.result->decode.milliseconds);
  pace_.read(outcome.result->prompt_tokens - outcome.result->reused_tokens, outcome.result->prompt_milliseconds);
  const bool stale = is_stale(live);
  if (!live.machine->take(std::move(outcome.result).value()) && !stale && time_left(live) > kWorthRepairing) {
    stats.count(Count::repairs);
    return submit(std::move(live));
  }
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
    answer_empty(live.reply);
  } else {
    reply_with(live.reply, live.place, whole(texts));
    stats.count(texts.empty() ? Count::empty : Count::from_model);
  }
  stats.time(Stage::post, milliseconds_since(arrived));
  stats.time(Stage::total, milliseconds_since(live.since));
  if (!stale && !texts.empty() && !live.place.selected) prefetch(live.place, texts.front(), live.options);
}

bool Completer::is_stale(const Live& live) const {
  const auto now = documents_.find(live.document->uri());
  return !now || now->revision() != live.document->revision();
}

// The last one is kept: what is read in advance and what is asked then are about the same place.
syntax::SitePtr Completer::site_at(const SnapshotPtr& document, std::size_t offset) {
  if (!site_ || site_->document != document || site_offset_ != offset) {
    site_ = syntax::site_at(document, offset, trees_);
    site_offset_ = offset;
  }
  return site_;
}

Ask Completer::ask_at(const SnapshotPtr& document, std::size_t offset, const Options& options) {
  AskOptions how = ask_options(options);
  how.defaults.candidates = 1;
  // Whoever asks for a length gets it.
  if (options.request.budget == engine::PromptBudget()) how.defaults.budget = pace_.fitting(options.request.budget);
  Surroundings around{notebooks_.above(*document, documents_, options.request.budget.prefix_bytes), {}};
  if (options.completion.context) {
    const syntax::Language* language = syntax::language_of(*document);
    for (const auto& piece : context_.pieces(document, path_of(document->uri()), language, offset))
      around.context.push_back(context::rendered(piece, *language));
  }
  return daemon::ask_at(site_at(document, offset), offset, how, std::move(around));
}

// Remembers the texts of an answer and returns them. What is not sure enough is a draft for the next request.
std::vector<std::string> Completer::keep(const Place& place, Answered answered, int asked) {
  const bool doubted = !answered.doubted.empty();
  for (std::string& text : answered.doubted) unfinished_.add({place.document, place.offset, {std::move(text)}, 1});
  std::vector<std::string> texts;
  for (Shown& shown : answered.shown) texts.push_back(std::move(shown.text));
  const bool known = !texts.empty() || (!answered.stopped_early && !doubted);
  if (known) answers_.add({place.document, place.offset, texts, asked});
  return texts;
}

void Completer::reply_with(ItemsReply& reply, const Place& place, const std::vector<AnswerCache::Rest>& rests) {
  services_.stats().count(Count::offered, rests.size());
  if (auto* inlined = std::get_if<lsp::Reply<lsp::InlineCompletionList>>(&reply)) {
    lsp::InlineCompletionList list;
    for (const auto& rest : rests) list.items.push_back(item_for(place, rest));
    return inlined->result(list);
  }
  lsp::CompletionList list;
  for (const auto& rest : rests) {
    list.items.push_back(menu_item(*place.document, place.offset, rest.text, rest.replaced, documents_.encoding()));
    list.items.back().preselect = list.items.size() == 1;
    list.items.back().command = make_offer(place, rest.text);
  }
  std::get<lsp::Reply<lsp::CompletionList>>(reply).result(list);
}

lsp::InlineCompletionItem Completer::item_for(const Place& place, const AnswerCache::Rest& rest) {
  const auto encoding = documents_.encoding();
  lsp::InlineCompletionItem item;
  if (place.selected) {
    item.insert_text = place.selected->text + rest.text;
    item.range = place.selected->range;
  } else {
    item.insert_text = rest.text;
    item.range = {place.document->position(place.offset, encoding),
                  place.document->position(place.offset + rest.replaced, encoding)};
  }
  item.command = make_offer(place, rest.text);
  return item;
}

// Remembers what is offered; the command tells us when it has been accepted.
lsp::Command Completer::make_offer(const Place& place, const std::string& text) {
  offers_.push_front({++last_offer_, place, text});
  if (offers_.size() > kOffers) offers_.pop_back();
  return {"", kAccepted, lsp::Json::array({last_offer_})};
}

// What is told of a job when the model has run it; empty: nothing is recorded.
std::function<void(const engine::Outcome&)> Completer::recording(const Place& place, const engine::Job& job,
                                                                 const Options& options) {
  if (!services_.records()) return {};
  Recording recording;
  const auto parsed = trees_.of(place.document);
  if (parsed.tree) recording.language = parsed.tree->language().name;
  recording.above = notebooks_.above(*place.document, documents_, options.request.budget.prefix_bytes);
  recording.before = place.document->text().substr(0, place.offset);
  recording.behind = place.document->text().substr(place.offset);
  recording.options = options;
  recording.options.request.budget = job.request.budget;
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
  if (change.edits.empty()) return;
  if (options.completion.context) context_.edited(change, path_of(uri));
  const std::size_t cursor = change.edits.back().new_end;
  cursors_[uri] = cursor;
  if (change.edits.size() == 1 && !answers_.find(*change.after, cursor)) warm(change.after, cursor, options);
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
      services_.runner().cancel(job->second);
      jobs->erase(job);
    }
  }
  cursors_.erase(uri);
  last_changes_.erase(uri);
  trees_.forget(uri);
  site_.reset();
  answers_.forget(uri);
  unfinished_.forget(uri);
  context_.forget(path_of(uri));
}

void Completer::saved(const std::string& uri) { context_.saved(path_of(uri)); }

void Completer::set_workspace(const std::vector<std::string>& folders, const Options& options) {
  const bool wanted = options.completion.context && options.completion.trusted && !folders.empty();
  std::string workspace;
  if (wanted) {
    for (const auto& folder : folders) workspace += folder + "\n";
    for (const auto& glob : options.completion.exclude) workspace += "!" + glob + "\n";
  }
  if (std::exchange(workspace_, workspace) == workspace) return;
  if (!wanted) return context_.clear();
  // The index's thread has ignore files of its own.
  const auto ignores = std::make_shared<IgnoreFiles>();
  context_.set_folders(folders, [folders, ignores, completion = options.completion](const std::string& path) {
    const syntax::Language* language = syntax::language_of_path(path);
    return language != nullptr && may_be_read(path, language->name, completion, folders, *ignores);
  });
}

// Reads a prompt in advance, behind everything else.
void Completer::warm(const SnapshotPtr& document, std::size_t offset, const Options& options) {
  engine::Job job;
  job.client = client_;
  job.priority = engine::Priority::prefetch;
  job.only_warm = true;
  job.delay = kWarmDelay;
  job.request = ask_at(document, offset, options).request;
  engine::JobId& last = warming_[document->uri()];
  services_.runner().cancel(last);
  last = services_.runner().submit(std::move(job));
}

// Works ahead on what comes when `text` has been accepted: behind it, or on the next line where its line is full.
void Completer::prefetch(const Place& place, const std::string& text, const Options& options) {
  if (!options.completion.prefetch) return;
  Place next{with_replaced(*place.document, place.offset, place.offset, text), place.offset + text.size(), {}};
  if (const std::string start = next_line_start(*next.document, next.offset); !start.empty()) {
    next.document = with_replaced(*next.document, next.offset, next.offset, start);
    next.offset += start.size();
  }
  if (answers_.find(*next.document, next.offset)) return;
  engine::Job job;
  job.client = client_;
  job.priority = engine::Priority::prefetch;
  job.delay = kPrefetchDelay;
  job.time_limit = kPrefetchLimit;
  AnswerOptions shaping = answer_options(options);
  shaping.repairs = 0;  // it may never be looked at
  shaping.formatting = formatting_;
  const auto machine = std::make_shared<AnswerMachine>(ask_at(next.document, next.offset, options), shaping);
  job.request = machine->request();
  const auto id = std::make_shared<engine::JobId>(0);
  job.done = [this, id, next, machine, guard = guard_,
              record = recording(next, job, options)](engine::Outcome outcome) {
    if (record) record(outcome);
    guard([&] { prefetched(*id, next, *machine, std::move(outcome)); });
  };
  engine::JobId& last = prefetching_[place.document->uri()];
  services_.runner().cancel(last);
  *id = last = services_.runner().submit(std::move(job));
}

void Completer::prefetched(engine::JobId job, const Place& place, AnswerMachine& machine, engine::Outcome outcome) {
  const auto current = prefetching_.find(place.document->uri());
  if (current == prefetching_.end() || current->second != job || !outcome.result) return;
  prefetching_.erase(current);
  services_.stats().count(Count::prefetched);
  machine.take(std::move(outcome.result).value());
  keep(place, machine.finish(), 1);
}

Completer::Offer* Completer::offer(const lsp::Json& arguments) {
  if (!arguments.is_array() || arguments.empty() || !arguments[0].is_number_unsigned()) return nullptr;
  const auto id = arguments[0].get<std::uint64_t>();
  const auto found = std::find_if(offers_.begin(), offers_.end(), [id](const Offer& offer) { return offer.id == id; });
  return found == offers_.end() ? nullptr : &*found;
}

void Completer::shown(const lsp::InlineCompletionItem& item) {
  Offer* offered = item.command ? offer(item.command->arguments) : nullptr;
  if (offered && !std::exchange(offered->shown, true)) services_.stats().count(Count::shown);
}

void Completer::partly_accepted(const lsp::InlineCompletionItem& item) {
  Offer* offered = item.command ? offer(item.command->arguments) : nullptr;
  if (offered && !std::exchange(offered->partly, true)) services_.stats().count(Count::partly_accepted);
}

bool Completer::accepted(const lsp::Json& arguments, const Options& options) {
  Offer* offered = offer(arguments);
  if (!offered) return false;
  if (std::exchange(offered->accepted, true)) return true;
  services_.stats().count(Count::accepted);
  services_.stats().count(Count::accepted_bytes, offered->text.size());
  if (!offered->place.selected) prefetch(offered->place, offered->text, options);
  return true;
}

}  // namespace cinnabar::daemon
