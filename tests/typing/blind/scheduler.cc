#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <queue>
#include <thread>

class Scheduler {
 public:
  using Clock = std::chrono::steady_clock;
  using Task = std::function<void()>;

  Scheduler() : worker_([this] { run(); }) {}

  ~Scheduler() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    worker_.join();
  }

  void after(std::chrono::milliseconds delay, Task task) {
    std::lock_guard<std::mutex> lock(mutex_);
    queue_.push({Clock::now() + delay, std::move(task)});
    changed_.notify_one();
  }

 private:
  struct Entry {
    Clock::time_point due;
    Task task;
    bool operator<(const Entry& other) const { return due > other.due; }
  };

  void run() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (!stopping_) {
      if (queue_.empty()) {
        changed_.wait(lock);
        continue;
      }
      const auto due = queue_.top().due;
      if (Clock::now() < due) {
        changed_.wait_until(lock, due);
        continue;
      }
      Task task = queue_.top().task;
      queue_.pop();
      lock.unlock();
      task();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::priority_queue<Entry> queue_;
  bool stopping_ = false;
  std::thread worker_;
};
