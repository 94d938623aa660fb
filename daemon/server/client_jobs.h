// The jobs that one client has with the runner, and their way back under its session's lock: what the completer and the edit
// actions share.
//
// submit(), cancel() and cancel_all(): under the session's lock.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "engine/runner.h"

namespace cinnabar::daemon {

// Runs a function under the session's lock, if the session still is there.
using Guard = std::function<void(const std::function<void()>&)>;

class ClientJobs {
 public:
  // Called at most once, under the session's lock, on the runner's thread: not for a job that was cancelled while it
  // waited, nor once the session has ended. By then the caller may have given the job up: it knows by the id.
  using Done = std::function<void(engine::JobId, engine::Outcome)>;
  // Called before it, without the lock.
  using Observer = std::function<void(const engine::Outcome&)>;

  // Borrows the runner.
  ClientJobs(engine::Runner& runner, engine::ClientId client, Guard guard)
      : runner_(runner), client_(client), guard_(std::move(guard)) {}

  // Of a warming, whose end nobody waits for, `done` may be empty. `job.prepare` is called under the session's lock, too.
  engine::JobId submit(engine::Job job, Done done, Observer observer = {});
  // Returns the text that a running job has so far; empty for any other, and for 0.
  std::string cancel(engine::JobId job) { return runner_.cancel(job); }
  // Cancels and forgets all of this client's jobs.
  void cancel_all() { runner_.remove_client(client_); }

 private:
  engine::Runner& runner_;
  const engine::ClientId client_;
  const Guard guard_;
};

}  // namespace cinnabar::daemon
