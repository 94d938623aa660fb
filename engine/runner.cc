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
template <typename T, typename Function>
Result<T> guarded(Function function) {
  try {
    return function();
  } catch (const std::bad_alloc&) {
    return Status::error("out of memory; a smaller model or context (options model, context) needs less");
  }
}

}  // namespace

Runner::Runner(Loader loader, RunnerOptions options)
    : options_(std::move(options)), loader_(std::move(loader)), last_used_(Clock::now()) {
  thread_ = std::jthread([this](const std::stop_token& end) { run(end); });
}

Runner::~Runner() {
  const std::lock_guard lock(mutex_);
  thread_.request_stop();
  if (running_) running_->stop.request_stop();
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
  if (running_) {
    running_->preempted = true;
    running_->stop.request_stop();
  }
  changed_.notify_all();
}

JobId Runner::submit(Job job) {
  const std::lock_guard lock(mutex_);
  const auto due = Clock::now() + job.delay;
  if (running_ && job.priority < running_->priority && job.delay.count() == 0) {
    running_->preempted = true;
    running_->stop.request_stop();
  }
  Waiting waiting{++last_id_, std::move(job), due, {}, {}};
  if (waiting.job.time_limit) waiting.give_up_at = due + *waiting.job.time_limit;
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
  if (running_ && running_->id == id) {
    running_->cancelled = true;
    running_->stop.request_stop();
    return running_->text;
  }
  std::erase_if(waiting_, [id](const Waiting& waiting) { return waiting.id == id; });
  return {};
}

void Runner::remove_client(ClientId client) {
  const std::lock_guard lock(mutex_);
  if (running_ && running_->client == client) {
    running_->cancelled = running_->forgotten = true;
    running_->stop.request_stop();
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

bool Runner::busy() const {
  const std::lock_guard lock(mutex_);
  return running_.has_value();
}

void Runner::run(const std::stop_token& end) {
  std::unique_lock lock(mutex_);
  while (!end.stop_requested()) {
    if (std::exchange(replace_wanted_, false)) {
      unload(lock);
      load_wanted_ = true;
    }
    if (std::exchange(load_wanted_, false)) {
      load_model(lock);
      continue;
    }
    const auto chosen = next(Clock::now());
    if (chosen == waiting_.end()) {
      if (!unload_when_idle(lock)) wait(lock, end);
    } else if (chosen->refused.empty() && state_.kind == ModelState::Kind::unloaded) {
      load_model(lock);
    } else {
      run_job(lock, chosen);
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
  auto loaded = guarded<std::unique_ptr<Infiller>>(loader);
  lock.lock();
  last_used_ = Clock::now();
  if (!loaded) return set_state(lock, {ModelState::Kind::failed, loaded.message(), {}});
  infiller_ = std::move(loaded).value();
  // Nobody could be served while the model was loaded: time starts now.
  for (auto& waiting : waiting_) {
    if (waiting.job.time_limit) waiting.give_up_at = last_used_ + *waiting.job.time_limit;
  }
  set_state(lock, {ModelState::Kind::ready, infiller_->description(), infiller_->device()});
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

void Runner::run_job(std::unique_lock<std::mutex>& lock, std::vector<Waiting>::iterator chosen) {
  Waiting waiting = std::move(*chosen);
  waiting_.erase(chosen);
  if (waiting.refused.empty() && !infiller_) waiting.refused = state_.text;  // it could not be loaded
  Outcome outcome{Status::error(waiting.refused)};
  const auto start = Clock::now();
  outcome.queue_milliseconds = milliseconds_between(waiting.due, start);
  bool forgotten = false;
  if (waiting.refused.empty()) {
    running_.emplace(Running{waiting.id, waiting.job.client, waiting.job.priority, {}, false, false, false, {}});
    served_[waiting.job.client] = ++serves_;
    DecodeLimits limits;
    limits.deadline = waiting.give_up_at;
    limits.cancel = running_->stop.get_token();
    lock.unlock();
    outcome.result = run_model(waiting, limits);
    lock.lock();
    last_used_ = Clock::now();
    const Running running = std::move(*std::exchange(running_, std::nullopt));
    if (running.preempted && !running.cancelled) {
      if (!running.text.empty()) waiting.job.request.former = running.text;
      const auto place =
          std::find_if(waiting_.begin(), waiting_.end(), [&](const auto& w) { return w.id > waiting.id; });
      waiting_.insert(place, std::move(waiting));
      return;
    }
    forgotten = running.forgotten;
  }
  outcome.run_milliseconds = milliseconds_between(start, Clock::now());
  if (forgotten || !waiting.job.done) return;
  lock.unlock();
  waiting.job.done(std::move(outcome));
  waiting.job.done = nullptr;  // what it holds is not destroyed under the lock
  lock.lock();
}

Result<InfillResult> Runner::run_model(const Waiting& waiting, const DecodeLimits& limits) {
  return guarded<InfillResult>([&]() -> Result<InfillResult> {
    if (waiting.job.only_warm) {
      if (Status warmed = infiller_->warm(waiting.job.request, limits); !warmed) return warmed;
      return InfillResult{};
    }
    return infiller_->infill(waiting.job.request, limits, [this](const std::string& text) {
      const std::lock_guard lock(mutex_);
      running_->text = text;
    });
  });
}

}  // namespace cinnabar::engine
