#include "engine/runner.h"

#include <algorithm>
#include <new>
#include <tuple>
#include <utility>

namespace cinnabar::engine {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

// The border to what allocates: running out of memory is an answer, not the end of every editor's session.
template <typename Function>
auto guarded(Function function) -> decltype(function()) {
  try {
    return function();
  } catch (const std::bad_alloc&) {
    return Status::error("out of memory; a smaller model or context (options model, context) needs less");
  }
}

bool prepared(Job& job) {
  if (!job.prepare) return true;
  auto request = job.prepare();
  if (request) job.request = std::move(*request);
  return request.has_value();
}

// True when it ended because it was told to.
bool was_stopped(const InfillResult& result) {
  return result.answers.empty() || result.answers.front().reason == StopReason::cancelled;
}

}  // namespace

Runner::Runner(Loader loader, RunnerOptions options)
    : options_(std::move(options)), loader_(std::move(loader)), last_used_(Clock::now()) {
  thread_ = std::jthread([this](const std::stop_token& end) { run(end); });
}

Runner::~Runner() {
  const std::lock_guard lock(mutex_);
  thread_.request_stop();
  for (const auto& running : running_) running->stop.request_stop();
}

void Runner::load() {
  const std::lock_guard lock(mutex_);
  if (state_.kind != ModelState::Kind::unloaded && state_.kind != ModelState::Kind::failed) return;
  load_wanted_ = true;
  changed_.notify_all();
}

void Runner::replace_model(Loader loader) {
  const std::lock_guard lock(mutex_);
  loader_ = std::move(loader);
  replace_wanted_ = true;
  for (const auto& running : running_) {
    running->preempted = true;
    running->stop.request_stop();
  }
  changed_.notify_all();
}

JobId Runner::submit(Job job) {
  const std::lock_guard lock(mutex_);
  const auto due = Clock::now() + job.delay;
  for (const auto& running : running_) {
    if (job.priority >= running->waiting.job.priority || job.delay.count() != 0) continue;
    running->preempted = true;
    running->stop.request_stop();
  }
  Waiting waiting{++last_id_, std::move(job), due, {}, {}};
  if (waiting.job.deadline) waiting.deadline = due + *waiting.job.deadline;
  waiting_.push_back(std::move(waiting));
  if (waiting_.size() > options_.queue) {
    // The last one of the least priority; max_element would give the first.
    const auto least = std::max_element(waiting_.rbegin(), waiting_.rend(), [](const Waiting& a, const Waiting& b) {
      return a.job.priority < b.job.priority;
    });
    least->refused = "too many requests are waiting (" + std::to_string(options_.queue) + ")";
  }
  changed_.notify_all();
  return last_id_;
}

std::string Runner::cancel(JobId id) {
  const std::lock_guard lock(mutex_);
  for (const auto& running : running_) {
    if (running->waiting.id != id) continue;
    running->cancelled = true;
    running->stop.request_stop();
    return running->text;
  }
  std::erase_if(waiting_, [id](const Waiting& waiting) { return waiting.id == id; });
  return {};
}

void Runner::remove_client(ClientId client) {
  const std::lock_guard lock(mutex_);
  for (const auto& running : running_) {
    if (running->waiting.job.client != client) continue;
    running->cancelled = running->forgotten = true;
    running->stop.request_stop();
  }
  std::erase_if(waiting_, [client](const Waiting& waiting) { return waiting.job.client == client; });
  served_.erase(client);
}

ModelState Runner::model() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

std::size_t Runner::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

std::size_t Runner::running() const {
  const std::lock_guard lock(mutex_);
  return running_.size();
}

void Runner::run(const std::stop_token& end) {
  std::unique_lock lock(mutex_);
  while (!end.stop_requested()) {
    if (running_.empty() && std::exchange(replace_wanted_, false)) {
      unload(lock);
      load_wanted_ = true;
    }
    if (running_.empty() && std::exchange(load_wanted_, false)) {
      load_model(lock);
      continue;
    }
    const auto chosen = next(Clock::now());
    if (chosen != waiting_.end() && may_start(*chosen)) {
      if (chosen->refused.empty() && state_.kind == ModelState::Kind::unloaded)
        load_model(lock);
      else
        start(lock, chosen);
    } else if (!running_.empty()) {
      step(lock);
    } else if (!unload_when_idle(lock)) {
      wait(lock, end);
    }
  }
}

// Until something has changed, a delayed job is due, or the model has been idle for long.
void Runner::wait(std::unique_lock<std::mutex>& lock, const std::stop_token& end) {
  std::optional<Clock::time_point> until;
  const auto sooner = [&until](Clock::time_point time) { until = until ? std::min(*until, time) : time; };
  for (const auto& waiting : waiting_) sooner(waiting.due);
  if (infiller_ && options_.idle_unload.count() > 0) sooner(last_used_ + options_.idle_unload);
  const auto seen = last_id_;
  const auto awake = [&] { return replace_wanted_ || load_wanted_ || last_id_ != seen; };
  if (until)
    changed_.wait_until(lock, end, *until, awake);
  else
    changed_.wait(lock, end, awake);
}

bool Runner::unload_when_idle(std::unique_lock<std::mutex>& lock) {
  if (!infiller_ || options_.idle_unload.count() == 0 || !waiting_.empty()) return false;
  if (Clock::now() < last_used_ + options_.idle_unload) return false;
  unload(lock);
  return true;
}

void Runner::set_state(std::unique_lock<std::mutex>& lock, ModelState state) {
  state_ = state;
  lock.unlock();
  if (options_.on_state) options_.on_state(state);
  lock.lock();
}

void Runner::load_model(std::unique_lock<std::mutex>& lock) {
  set_state(lock, {ModelState::Kind::loading, {}, {}});
  const Loader loader = loader_;
  lock.unlock();
  auto loaded = guarded(loader);
  lock.lock();
  last_used_ = Clock::now();
  if (!loaded) return set_state(lock, {ModelState::Kind::failed, loaded.message(), {}});
  infiller_ = std::move(loaded).value();
  // Nobody could be served while the model was loaded: time starts now.
  for (auto& waiting : waiting_) {
    if (waiting.job.deadline) waiting.deadline = last_used_ + *waiting.job.deadline;
  }
  ModelState ready{ModelState::Kind::ready, infiller_->description(), infiller_->device(), infiller_->fills_together()};
  ready.no_gpu = infiller_->no_gpu();
  for (std::size_t mode = 0; mode < kModes; ++mode) {
    if (const auto way = infiller_->way_of(static_cast<Mode>(mode))) ready.ways[mode] = *way;
  }
  set_state(lock, std::move(ready));
}

// A GPU that was taken away may be back for the next job, or another device takes over. One that fails at once, again
// and again (its memory is full, say), is not opened for every key: like a model that cannot be loaded it waits for
// load().
void Runner::drop_failed(std::unique_lock<std::mutex>& lock, const std::string& why) {
  const bool worked = std::exchange(has_worked_, false);
  unload(lock);
  if (!worked) set_state(lock, {ModelState::Kind::failed, why, {}});
}

void Runner::unload(std::unique_lock<std::mutex>& lock) {
  auto old = std::move(infiller_);
  lock.unlock();
  old.reset();
  lock.lock();
  set_state(lock, {ModelState::Kind::unloaded, {}, {}});
}

// Refused jobs first; then by priority, then the client that was served longest ago, then in order of arrival.
std::vector<Runner::Waiting>::iterator Runner::next(Clock::time_point now) {
  const auto served = [this](ClientId client) {
    const auto found = served_.find(client);
    return found == served_.end() ? 0 : found->second;
  };
  const auto rank = [&](const Waiting& w) {
    return std::tuple(w.refused.empty(), w.job.priority, served(w.job.client), w.id);
  };
  auto best = waiting_.end();
  for (auto it = waiting_.begin(); it != waiting_.end(); ++it) {
    if (it->due > now && it->refused.empty()) continue;
    if (best == waiting_.end() || rank(*it) < rank(*best)) best = it;
  }
  return best;
}

// Beside others only what has their priority, of a client that none of them belongs to (his jobs take turns: they share
// keys and values), and nothing while one of them is about to step aside for something else.
bool Runner::may_start(const Waiting& waiting) const {
  if (!waiting.refused.empty() || running_.empty()) return true;
  if (replace_wanted_ || static_cast<int>(running_.size()) >= infiller_->most_together()) return false;
  return std::all_of(running_.begin(), running_.end(), [&](const auto& running) {
    return !running->stop.stop_requested() && running->waiting.job.priority == waiting.job.priority &&
           running->waiting.job.client != waiting.job.client;
  });
}

void Runner::start(std::unique_lock<std::mutex>& lock, std::vector<Waiting>::iterator chosen) {
  Waiting waiting = std::move(*chosen);
  waiting_.erase(chosen);
  if (waiting.refused.empty() && !infiller_) waiting.refused = state_.text;  // it could not be loaded
  const auto now = Clock::now();
  if (!waiting.refused.empty()) {
    Outcome outcome{Status::error(waiting.refused)};
    outcome.queue_milliseconds = milliseconds_between(waiting.due, now);
    return finish(lock, waiting, std::move(outcome));
  }
  served_[waiting.job.client] = ++serves_;
  running_.push_back(std::make_unique<Running>(Running{std::move(waiting), now}));
  Running& running = *running_.back();
  const DecodeLimits limits{running.waiting.deadline, running.stop.get_token()};
  Job& job = running.waiting.job;
  lock.unlock();
  if (!prepared(job)) {
    lock.lock();
    running.forgotten = true;
    return settle(lock, running, Status::error("not wanted any more"));
  }
  auto infill =
      guarded([&] { return infiller_->begin(job.request, limits, job.only_warm ? Purpose::warm : Purpose::fill); });
  std::string text = infill ? (*infill)->text() : std::string();
  lock.lock();
  if (!infill) return settle(lock, running, infill.status());
  running.infill = std::move(infill).value();
  running.text = std::move(text);
}

void Runner::step(std::unique_lock<std::mutex>& lock) {
  std::vector<Running*> all;
  all.reserve(running_.size());
  for (const auto& running : running_) all.push_back(running.get());
  lock.unlock();
  const Status ran = guarded([&] { return infiller_->advance(); });
  std::vector<std::string> texts;
  texts.reserve(all.size());
  for (const Running* running : all) texts.push_back(ran ? running->infill->text() : std::string());
  lock.lock();
  last_used_ = Clock::now();
  std::vector<Running*> ended;
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i]->text = std::move(texts[i]);
    if (!ran || all[i]->infill->finished()) ended.push_back(all[i]);
  }
  for (Running* running : ended) {
    settle(lock, *running, ran ? Result<InfillResult>(running->infill->take()) : Result<InfillResult>(ran));
  }
  if (ran) has_worked_ = true;
  if (!ran && !infiller_->failure()) drop_failed(lock, ran.message());
}

// `running` has ended and is forgotten, back in the queue or done.
void Runner::settle(std::unique_lock<std::mutex>& lock, Running& ended, Result<InfillResult> result) {
  const auto place = std::find_if(running_.begin(), running_.end(), [&](const auto& r) { return r.get() == &ended; });
  const std::unique_ptr<Running> running = std::move(*place);
  running_.erase(place);
  running->infill.reset();  // its keys and values are free again
  if (running->preempted && !running->cancelled && result && was_stopped(*result)) return put_back(*running);
  if (running->forgotten) return;
  Outcome outcome{std::move(result)};
  outcome.queue_milliseconds = milliseconds_between(running->waiting.due, running->start);
  outcome.run_milliseconds = milliseconds_between(running->start, Clock::now());
  finish(lock, running->waiting, std::move(outcome));
}

void Runner::put_back(Running& running) {
  if (!running.text.empty()) running.waiting.job.request.former = running.text;
  const auto place =
      std::find_if(waiting_.begin(), waiting_.end(), [&](const auto& w) { return w.id > running.waiting.id; });
  waiting_.insert(place, std::move(running.waiting));
}

void Runner::finish(std::unique_lock<std::mutex>& lock, Waiting& waiting, Outcome outcome) {
  if (!waiting.job.done) return;
  lock.unlock();
  waiting.job.done(std::move(outcome));
  waiting.job.done = nullptr;  // what it holds is not destroyed under the lock
  lock.lock();
}

}  // namespace cinnabar::engine
