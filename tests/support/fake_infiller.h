// A model for tests of what stands around one: answers by a function, counts what it is asked, and can be held inside a
// run until the test lets it go on or stops it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/infiller.h"

namespace cinnabar::tests {

// Shared by the test and the infillers it hands out, so that it outlives a reload. Thread-safe.
class FakeModel {
 public:
  // What to answer; the default answers "answer". On the runner's thread.
  std::function<std::vector<std::string>(const engine::InfillRequest&)> answers = [](const auto&) {
    return std::vector<std::string>{"answer"};
  };
  std::function<Status()> opens = [] { return Status(); };  // what opening it says

  Result<std::unique_ptr<engine::Infiller>> open() {
    ++opened;
    if (Status status = opens(); !status) return status;
    return std::unique_ptr<engine::Infiller>(std::make_unique<Infiller>(*this));
  }

  // From now on a run shows `text` as its answer so far and then waits for release() or its stop token.
  void hold(std::string text = {}) {
    const std::lock_guard lock(mutex_);
    held_ = true;
    text_ = std::move(text);
  }
  void release() {
    const std::lock_guard lock(mutex_);
    held_ = false;
    changed_.notify_all();
  }
  // Waits until `count` runs, warmings included, have begun.
  void wait_for_runs(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return runs_.size() >= count; });
  }
  // What was asked, in order: the prefix, with "warm:" before it where it was a warming.
  std::vector<std::string> runs() {
    const std::lock_guard lock(mutex_);
    return runs_;
  }
  // The same without warmings, whole.
  std::vector<engine::InfillRequest> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  std::atomic<int> opened = 0;

 private:
  class Infiller final : public engine::Infiller {
   public:
    explicit Infiller(FakeModel& model) : model_(model) {}
    Result<engine::InfillResult> infill(const engine::InfillRequest& request, const engine::DecodeLimits& limits,
                                        const engine::TextObserver& observer) override {
      return model_.run(request, limits, observer);
    }
    Status warm(const engine::InfillRequest& request, const engine::DecodeLimits& limits) override {
      model_.begin("warm:" + request.prefix, limits);
      return {};
    }
    std::string description() const override { return "fake"; }
    std::string device() const override { return "nowhere"; }

   private:
    FakeModel& model_;
  };

  void begin(const std::string& what, const engine::DecodeLimits& limits) {
    std::unique_lock lock(mutex_);
    runs_.push_back(what);
    changed_.notify_all();
    changed_.wait(lock, limits.cancel, [this] { return !held_; });
  }

  Result<engine::InfillResult> run(const engine::InfillRequest& request, const engine::DecodeLimits& limits,
                                   const engine::TextObserver& observer) {
    std::string so_far;
    {
      const std::lock_guard lock(mutex_);
      so_far = text_;
      requests_.push_back(request);
    }
    observer(so_far);
    begin(request.prefix, limits);
    engine::InfillResult result;
    if (limits.cancel.stop_requested()) {
      result.answers.push_back({so_far, engine::StopReason::cancelled, 1});
      return result;
    }
    if (limits.deadline && std::chrono::steady_clock::now() >= *limits.deadline) {
      result.answers.push_back({so_far, engine::StopReason::deadline, 1});
      return result;
    }
    for (const std::string& text : answers(request)) result.answers.push_back({text, engine::StopReason::hole_end, 1});
    return result;
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool held_ = false;
  std::string text_;
  std::vector<std::string> runs_;
  std::vector<engine::InfillRequest> requests_;
};

}  // namespace cinnabar::tests
