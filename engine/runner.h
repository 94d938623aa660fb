// The one thread on which the model runs, and the queue in front of it: which holes are filled next, for how long, and
// when they have to step aside. Jobs of one priority and of several clients run together, a forward for all of them.
// Loads the model when it is first needed, and lets it go when nobody has asked for long or its device has failed.
//
// All public functions may be called from any thread and return at once (the destructor waits for the step under way).
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "engine/infiller.h"

namespace cinnabar::engine {

using ClientId = std::uint64_t;
using JobId = std::uint64_t;  // never 0, never used again

// The order in which jobs run. A job that arrives stops running ones of lesser priority at their next step; they go
// back to where they stood in the queue, with their keys and values kept and their text so far as a draft.
enum class Priority : std::uint8_t { typing, invoked, prefetch, refactor };

// How a job that ran has ended.
struct Outcome {
  Result<InfillResult> result;    // of a warming: no answers
  double queue_milliseconds = 0;  // from submit (or the moment it was due) to its last start
  double run_milliseconds = 0;    // its last run
};

struct Job {
  ClientId client = 0;
  Priority priority = Priority::typing;
  InfillRequest request;
  bool only_warm = false;  // read the prompt in advance, decode nothing
  // Makes the request when the job is due, in place of `request`: on the runner's thread, without its lock. None: the
  // job is not wanted any more, and forgotten.
  std::function<std::optional<InfillRequest>()> prepare = {};
  // From submit, or from the end of the model's load when it had to wait for that. The answer so far is given then.
  std::optional<std::chrono::milliseconds> deadline;
  std::chrono::milliseconds delay{0};  // it is not started earlier
  // Called on the runner's thread, without its lock, at most once: not for a job cancelled while it waited or whose
  // client was removed. A job cancelled while it ran has the stop reason `cancelled` and the text so far.
  std::function<void(Outcome)> done;
};

struct ModelState {
  enum class Kind : std::uint8_t { unloaded, loading, ready, failed };
  Kind kind = Kind::unloaded;
  std::string text;                                  // ready: Infiller::description(); failed: why, and what to do
  std::string device;                                // ready: Infiller::device()
  bool fills_together = false;                       // ready: the same
  std::array<std::optional<Way>, kModes> ways = {};  // ready: of each mode; none: it cannot
  std::string no_gpu = {};                           // ready: Infiller::no_gpu()
};

struct RunnerOptions {
  std::size_t queue = 256;                   // waiting jobs; one more and the newest of the least priority is refused
  std::chrono::milliseconds idle_unload{0};  // without jobs for so long the model is let go; 0: never
  std::function<void(const ModelState&)> on_state = {};  // every change, in order, on the runner's thread, without lock
};

class Runner {
 public:
  using Loader = std::function<Result<std::unique_ptr<Infiller>>()>;

  // Loads nothing before load() or the first job.
  explicit Runner(Loader loader, RunnerOptions options = {});
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  // Begins to load unless the model is there. Tries again after a failure.
  void load();
  // The model under way is let go after the running job is stopped (it runs again), and `loader` opens the next one.
  void replace_model(Loader loader);

  // A job over the queue's limit, and any job while the model has failed to load, is done with an error.
  JobId submit(Job job);
  // Returns the text that a running job has so far; empty for any other.
  std::string cancel(JobId id);
  // Cancels and forgets all of a client's jobs; no `done` of theirs is called after this returns, except one that is
  // being called just now.
  void remove_client(ClientId client);

  ModelState model() const;
  std::size_t waiting() const;  // jobs that have not started
  std::size_t running() const;  // jobs that run together

 private:
  using Clock = std::chrono::steady_clock;
  struct Waiting {
    JobId id;
    Job job;
    Clock::time_point due;  // not before
    std::optional<Clock::time_point> deadline;
    std::string refused;  // not to run; why
  };
  // A job that runs. What is in it is the thread's own, but for the flags and the text.
  struct Running {
    Waiting waiting;
    Clock::time_point start;
    std::stop_source stop = {};
    bool cancelled = false, preempted = false, forgotten = false;
    std::string text = {};
    std::unique_ptr<Infill> infill = {};
  };

  void run(const std::stop_token& end);
  void wait(std::unique_lock<std::mutex>& lock, const std::stop_token& end);
  bool unload_when_idle(std::unique_lock<std::mutex>& lock);
  void set_state(std::unique_lock<std::mutex>& lock, ModelState state);
  void load_model(std::unique_lock<std::mutex>& lock);
  void drop_failed(std::unique_lock<std::mutex>& lock, const std::string& why);
  void unload(std::unique_lock<std::mutex>& lock);
  std::vector<Waiting>::iterator next(Clock::time_point now);
  bool may_start(const Waiting& waiting) const;
  void start(std::unique_lock<std::mutex>& lock, std::vector<Waiting>::iterator chosen);
  void step(std::unique_lock<std::mutex>& lock);
  void settle(std::unique_lock<std::mutex>& lock, Running& running, Result<InfillResult> result);
  void put_back(Running& running);
  void finish(std::unique_lock<std::mutex>& lock, Waiting& waiting, Outcome outcome);

  const RunnerOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  Loader loader_;
  bool load_wanted_ = false, replace_wanted_ = false;
  bool has_worked_ = false;  // the model's device, since the model was loaded
  ModelState state_;
  std::vector<Waiting> waiting_;                        // in order of arrival
  std::unordered_map<ClientId, std::uint64_t> served_;  // when each client was served last, by count
  std::uint64_t serves_ = 0;
  JobId last_id_ = 0;
  Clock::time_point last_used_;
  std::unique_ptr<Infiller> infiller_;             // the thread's own
  std::vector<std::unique_ptr<Running>> running_;  // of one priority, each of another client; end before the infiller
  std::jthread thread_;                            // last: ends before what it uses
};

}  // namespace cinnabar::engine
