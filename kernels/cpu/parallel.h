// The backend's own worker threads. A region is a number of tasks claimed one after another by whoever is free, the
// calling thread included. The caller never waits for a worker that has not claimed a task: beside a compiler that
// holds a core, a region simply runs on fewer threads. Between regions workers spin for tens of microseconds, then
// sleep.
//
// Workers flush denormals to zero for their whole life; the caller does so for the time of a FlushDenormals.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <type_traits>
#include <vector>

namespace cinnabar::kernels::cpu {

// A borrowed callable: call(task, worker). `worker` is below Pool::threads() and unique among the running tasks, so it
// may index scratch memory.
class TaskRef {
 public:
  template <typename F, typename = std::enable_if_t<!std::is_same_v<std::remove_cvref_t<F>, TaskRef>>>
  TaskRef(F& body)  // NOLINT(google-explicit-constructor)
      : body_(const_cast<void*>(static_cast<const void*>(&body))),
        call_([](void* self, int task, int worker) { (*static_cast<F*>(self))(task, worker); }) {}
  TaskRef(void* body, void (*call)(void*, int, int)) : body_(body), call_(call) {}

  void operator()(int task, int worker) const { call_(body_, task, worker); }
  void* body() const { return body_; }
  auto function() const { return call_; }

 private:
  void* body_;
  void (*call_)(void*, int, int);
};

class Pool {
 public:
  // Starts threads - 1 workers (threads >= 1).
  explicit Pool(int threads);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }
  // Runs body(task, worker) for every task in [0, tasks), started in ascending order, and returns when all are done.
  // Writes of the tasks are visible afterwards. One caller at a time; not from inside a task. A single task runs
  // inline.
  void run(int tasks, TaskRef body);

 private:
  void work(int worker);
  bool claim_and_run(int worker);

  // Generation of the region in the high half, tasks not yet claimed in the low half: a successful claim proves that
  // the fields of `job_` read before it belong to that region.
  std::atomic<std::uint64_t> ticket_{0};
  struct Job {
    std::atomic<void*> body{nullptr};
    std::atomic<void (*)(void*, int, int)> call{nullptr};
    std::atomic<int> tasks{0};
  } job_;
  alignas(64) std::atomic<int> finished_{0};
  alignas(64) std::atomic<int> sleepers_{0};
  std::atomic<int> wake_{0};
  std::atomic<bool> caller_sleeps_{false};
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> workers_;
};

// One per physical core that this process may run on.
int default_threads();

// Denormals are zero in this thread while the object lives: denormal operands made single operations 100 times slower.
class FlushDenormals {
 public:
  FlushDenormals();
  ~FlushDenormals();
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  std::uint64_t saved_;
};

}  // namespace cinnabar::kernels::cpu
